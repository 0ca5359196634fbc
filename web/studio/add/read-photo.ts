import { checkImageBytes, type ImageInfo, inspectImage } from "../../../compiler/image/inspect.ts";
import { CompileError } from "../../../compiler/types.ts";
import { createSlots } from "../../compile/slots.ts";
import { t } from "../language.ts";

/** What file dialogs offer. A list of types would make Safari hide HEIC on a Mac. */
export const PHOTO_FILES = "image/*";

/** A photo that can be uploaded. */
export interface ReadablePhoto {
  /** The chosen file, or the JPEG that replaces it. */
  readonly file: File;
  readonly info: ImageInfo;
}

/** Of the JPEG that replaces a photo in another format. */
const JPEG_QUALITY = 0.95;

/** A decoded photo of a phone takes 200 MB. */
const decoding = createSlots(1);

/**
 * Reads the headers of a chosen photo. One in a format that the compiler does not read, such as HEIC or CMYK, becomes a
 * JPEG if the browser can decode it.
 *
 * @throws CompileError as `inspectImage` does; DOMException if the file cannot be read
 */
export async function readPhoto(file: File, signal = new AbortController().signal): Promise<ReadablePhoto> {
  checkImageBytes(file.size);
  const bytes = new Uint8Array(await file.arrayBuffer());
  try {
    return { file, info: inspectImage(bytes) };
  } catch (error) {
    if (!(error instanceof CompileError && error.code === "unsupported_format")) throw error;
    const jpeg = await decoding.run(() => asJpeg(file).catch(() => null), signal);
    if (jpeg) return readPhoto(jpeg, signal);
    throw new CompileError(error.code, `${error.message} ${t.add.cannotOpen}`);
  }
}

async function asJpeg(file: File): Promise<File> {
  const bitmap = await createImageBitmap(file);
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d")!;
  // Behind transparent pixels, which JPEG does not have.
  context.fillStyle = "white";
  context.fillRect(0, 0, bitmap.width, bitmap.height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const jpeg = await canvas.convertToBlob({ type: "image/jpeg", quality: JPEG_QUALITY });
  return new File([jpeg], `${file.name.replace(/\.[^.]*$/, "")}.jpg`, { type: "image/jpeg" });
}
