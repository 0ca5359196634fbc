import { hasAscii, nameForeignBrand, readFileType, SIGNATURES } from "../../compiler/image/sniff.ts";
import type { VideoType } from "../content/files.ts";

/** How much of a file `sniffVideo` looks at: enough for an MP4's brands and a WebM's document type. */
export const SNIFFED_BYTES = 4096;

/** Brands of MP4 videos, 3GPP's included. */
const VIDEO_BRANDS =
  /^(isom|iso[2-9a-c]|mp4[12]|avc1|hvc1|hev1|av01|M4V[ HP]|MSNV|dash|msdh|cmf[c2]|3g[p2].|f4v |mmp4)$/;

/** The EBML element DocType (ID 4282) with the value `webm`. */
const WEBM_TYPE = "\x42\x82\x84webm";
/** It stands near the start of the header. */
const MAX_WEBM_OFFSET = 57;

export type SniffedVideo =
  | { readonly type: VideoType }
  /** What the file is instead, to follow "The file is". */
  | { readonly found: string };

/** Returns the format of a video file. `head` is its first `SNIFFED_BYTES`, or all of a shorter file. */
export function sniffVideo(head: Uint8Array): SniffedVideo {
  if (head.length === 0) return { found: "empty (0 bytes)" };
  if (hasAscii(head, 0, SIGNATURES.ebml)) {
    const isWebm = head
      .subarray(0, MAX_WEBM_OFFSET + 1)
      .some((_, offset) => hasAscii(head, offset, WEBM_TYPE));
    return isWebm ? { type: "video/webm" } : { found: "a Matroska file, not WebM" };
  }
  const fileType = readFileType(head);
  if (!fileType) return { found: "in another format" };
  const { bytes, majorBrand, compatibleBrands } = fileType;
  if (bytes < 16 || bytes % 4 !== 0 || bytes > head.length) {
    return { found: `a damaged MP4: its first box has an invalid length of ${bytes} bytes` };
  }
  const foreign = nameForeignBrand(majorBrand);
  if (foreign) return { found: foreign };
  const isVideo = [majorBrand, ...compatibleBrands].some((brand) => VIDEO_BRANDS.test(brand));
  if (isVideo) return { type: "video/mp4" };
  return { found: `a file with the brand ${JSON.stringify(majorBrand)}, which is not an MP4 video` };
}
