/** The first bytes of formats that are recognised in several modules, as Latin-1 characters. */
export const SIGNATURES = {
  jpeg: "\xff\xd8\xff",
  png: "\x89PNG\r\n\x1a\n",
  riff: "RIFF",
  /** WebM and Matroska. */
  ebml: "\x1a\x45\xdf\xa3",
  zip: "PK\x03\x04",
  gzip: "\x1f\x8b",
} as const;

/** A file in a format that cannot be decoded. */
export interface ForeignFile {
  /** True for pictures, videos and documents that show a picture; false for anything else. */
  readonly visual: boolean;
  /** With its article, to follow "This is". */
  readonly name: string;
}

const FOREIGN_FILES: readonly (readonly [
  offset: number,
  signature: string,
  visual: boolean,
  name: string,
])[] = [
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
  [0, SIGNATURES.ebml, true, "a WebM or Matroska video"],
  [8, "AVI ", true, "an AVI video"],
  [8, "WAVE", false, "a WAV sound"],
  [0, "\x82\xa1v", false, "a compiled .mind marker"],
  [0, SIGNATURES.zip, false, "a ZIP archive"],
  [0, SIGNATURES.gzip, false, "a gzip archive"],
];

/** Brands of ISO base media files that are not MP4 videos, though some also list a brand of MP4. */
const FOREIGN_BRANDS: readonly (readonly [brands: RegExp, name: string])[] = [
  [/^avi[fs]$/, "an AVIF image"],
  [/^(hei[cxms]|hev[cxms]|mif[12]|msf1)$/, "a HEIC image"],
  [/^crx $/, "a Canon raw image (CR3)"],
  [/^qt {2}$/, "a QuickTime video (.mov)"],
  [/^M4[ABP] $/, "an MPEG-4 sound file"],
];

/** The `ftyp` box of an ISO base media file (ISO/IEC 14496-12, section 4.3). */
export interface FileTypeBox {
  /** The size that the box states. */
  readonly bytes: number;
  readonly majorBrand: string;
  readonly compatibleBrands: readonly string[];
}

/** Longer boxes do not occur in practice. */
const MAX_FILE_TYPE_BYTES = 4096;

/** Returns the `ftyp` box at the start of a file, without cut-off brands; null for other formats. */
export function readFileType(bytes: Uint8Array): FileTypeBox | null {
  if (!hasAscii(bytes, 4, "ftyp") || bytes.length < 12) return null;
  const size = ((bytes[0] << 24) | (bytes[1] << 16) | (bytes[2] << 8) | bytes[3]) >>> 0;
  const end = Math.min(size, bytes.length, MAX_FILE_TYPE_BYTES);
  const brandAt = (offset: number) => String.fromCharCode(...bytes.subarray(offset, offset + 4));
  const compatibleBrands: string[] = [];
  for (let offset = 16; offset + 4 <= end; offset += 4) compatibleBrands.push(brandAt(offset));
  return { bytes: size, majorBrand: brandAt(8), compatibleBrands };
}

/** Names the format of a brand that is not an MP4 video's; null for all other brands. */
export function nameForeignBrand(brand: string): string | null {
  return FOREIGN_BRANDS.find(([brands]) => brands.test(brand))?.[1] ?? null;
}

/** Names the format of a file by its first bytes; null when they are unknown. */
export function sniffForeignFile(bytes: Uint8Array): ForeignFile | null {
  for (const [offset, signature, visual, name] of FOREIGN_FILES) {
    if (hasAscii(bytes, offset, signature)) return { visual, name };
  }
  const fileType = readFileType(bytes);
  if (!fileType) return sniffText(bytes);
  const brands = [fileType.majorBrand, ...fileType.compatibleBrands];
  const name = brands.map(nameForeignBrand).find((name) => name !== null);
  return { visual: true, name: name ?? "an MP4 video" };
}

/** Returns whether the Latin-1 characters of `text` are at `offset`. */
export function hasAscii(bytes: Uint8Array, offset: number, text: string): boolean {
  if (offset + text.length > bytes.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[offset + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** Returns the offset of a file's text, after a byte order mark and white space. */
export function startOfText(bytes: Uint8Array): number {
  let start = hasAscii(bytes, 0, "\xef\xbb\xbf") ? 3 : 0;
  while (bytes[start] === 0x20 || (bytes[start] >= 0x09 && bytes[start] <= 0x0d)) start++;
  return start;
}

function sniffText(bytes: Uint8Array): ForeignFile | null {
  const start = startOfText(bytes);
  if (hasAscii(bytes, start, "<")) {
    const text = String.fromCharCode(...bytes.subarray(start, start + 1024));
    if (/<svg[\s>]/i.test(text)) return { visual: true, name: "an SVG drawing" };
    return { visual: false, name: "an HTML or XML page" };
  }
  if (hasAscii(bytes, start, "{") || hasAscii(bytes, start, "[")) return { visual: false, name: "JSON text" };
  return null;
}
