import { isTable, isVideo } from "./pairs.ts";

/** Reads the files of dropped and chosen folders. */

/** Some systems do not know the type of HEIC. */
const PHOTO_NAME = /\.(jpe?g|png|webp|heic|heif)$/i;

/** Returns the photos, videos and tables among the files of a folder, without hidden ones. */
export function ofFolder(files: readonly File[]): File[] {
  return files.filter(
    (file) =>
      !file.name.startsWith(".") &&
      (file.type.startsWith("image/") || PHOTO_NAME.test(file.name) || isVideo(file) || isTable(file)),
  );
}

/** Returns the dropped files, and those of dropped folders. To be called in the event: later, the data is gone. */
export function filesOf(transfer: DataTransfer): Promise<File[]> {
  const entries = Array.from(transfer.items, (item) => item.webkitGetAsEntry()).filter(
    (entry) => entry !== null,
  );
  const files = [...transfer.files];
  if (!entries.some(({ isDirectory }) => isDirectory)) return Promise.resolve(files);
  return Promise.all(entries.map(filesIn)).then((found) => found.flat());
}

async function filesIn(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile)
    return [await new Promise<File>((...done) => (entry as FileSystemFileEntry).file(...done))];
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: File[] = [];
  for (;;) {
    // Returns at most 100 entries at a time.
    const some = await new Promise<FileSystemEntry[]>((...done) => reader.readEntries(...done));
    if (some.length === 0) return ofFolder(found);
    for (const child of some) found.push(...(await filesIn(child)));
  }
}
