/** What a file is by its first bytes, when it is none of the formats that can be decoded. */
export interface ForeignFile {
  /** True for pictures, videos and documents that show a picture; false for anything else. */
  readonly visual: boolean;
  /** With its article, to stand after "This is". */
  readonly name: string;
}

const SIGNATURES: readonly (readonly [offset: number, signature: string, visual: boolean, name: string])[] = [
  [0, "GIF87a", true, "a GIF image"],
  [0, "GIF89a", true, "a GIF image"],
  [0, "BM", true, "a BMP image"],
  [0, "II*\0", true, "a TIFF image"],
  [0, "MM\0*", true, "a TIFF image"],
  [0, "II+\0", true, "a TIFF image"],
  [0, "MM\0+", true, "a TIFF image"],
  [0, "\0\0\x01\0", true, "an ICO icon"],
  [0, "\xff\x0a", true, "a JPEG XL image"],
  [0, "\0\0\0\x0cJXL ", true, "a JPEG XL image"],
  [0, "\0\0\0\x0cjP  ", true, "a JPEG 2000 image"],
  [0, "\xff\x4f\xff\x51", true, "a JPEG 2000 image"],
  [0, "8BPS", true, "a Photoshop document"],
  [0, "%PDF", true, "a PDF document"],
  [0, "\x1a\x45\xdf\xa3", true, "a WebM or Matroska video"],
  [8, "AVI ", true, "an AVI video"],
  [8, "WAVE", false, "a WAV sound"],
  [0, "\x82\xa1v", false, "a compiled .mind marker"],
  [0, "PK\x03\x04", false, "a ZIP archive"],
  [0, "\x1f\x8b", false, "a gzip archive"],
];

const BRANDS: readonly (readonly [brands: RegExp, name: string])[] = [
  [/^avi[fs]$/, "an AVIF image"],
  [/^(hei[cxms]|hev[cxms]|mif[12]|msf1)$/, "a HEIC image"],
  [/^crx $/, "a Canon raw image"],
  [/^qt {2}$/, "a QuickTime video"],
  [/^M4A $/, "an M4A sound"],
];

/** Names the file, or null for bytes that say nothing about themselves. */
export function sniffForeignFile(bytes: Uint8Array): ForeignFile | null {
  for (const [offset, signature, visual, name] of SIGNATURES) {
    if (hasAscii(bytes, offset, signature)) return { visual, name };
  }
  if (hasAscii(bytes, 4, "ftyp") && bytes.length >= 12) return { visual: true, name: isoMedia(bytes) };
  return textual(bytes);
}

/** Whether the Latin-1 characters of `text` stand at `offset`. */
export function hasAscii(bytes: Uint8Array, offset: number, text: string): boolean {
  if (offset + text.length > bytes.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[offset + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** ISO base media (MP4 and the image formats built on it): the brands of its `ftyp` box tell them apart. */
function isoMedia(bytes: Uint8Array): string {
  const size = ((bytes[0] << 24) | (bytes[1] << 16) | (bytes[2] << 8) | bytes[3]) >>> 0;
  const end = Math.min(size, bytes.length, 128);
  for (let offset = 8; offset + 4 <= end; offset += offset === 8 ? 8 : 4) {
    const brand = String.fromCharCode(...bytes.subarray(offset, offset + 4));
    const known = BRANDS.find(([brands]) => brands.test(brand));
    if (known) return known[1];
  }
  return "an MP4 video";
}

function textual(bytes: Uint8Array): ForeignFile | null {
  let text = "";
  for (let i = 0; i < Math.min(bytes.length, 1024); i++) text += String.fromCharCode(bytes[i]);
  const start = text.replace(/^\xef\xbb\xbf/, "").trimStart();
  if (start.startsWith("<")) {
    if (/<svg[\s>]/i.test(start)) return { visual: true, name: "an SVG drawing" };
    return { visual: false, name: "an HTML or XML page" };
  }
  if (/^[{[]/.test(start)) return { visual: false, name: "JSON text" };
  return null;
}
