/** Pairs photos and videos by the names of their files. */

const VIDEO_NAME = /\.(mp4|m4v|mov|webm|mkv)$/i;

export function isVideo({ name, type }: Pick<File, "name" | "type">): boolean {
  return type.startsWith("video/") || VIDEO_NAME.test(name);
}

export function isTable({ name, type }: Pick<File, "name" | "type">): boolean {
  return type === "text/csv" || /\.csv$/i.test(name);
}

/** Returns a file's name without folder, extension and case. */
export function baseName(name: string): string {
  return name
    .replace(/^.*[/\\]/, "")
    .replace(/\.[^.]*$/, "")
    .normalize("NFC")
    .toLowerCase()
    .trim();
}

/** Returns the video of each photo, by the index of the photo. A video belongs to one photo at most. */
export function pairByName<Video extends { readonly name: string }>(
  photos: readonly { readonly name: string }[],
  videos: readonly Video[],
): Map<number, Video> {
  const free = new Map<string, Video[]>();
  for (const video of videos) {
    const base = baseName(video.name);
    free.set(base, [...(free.get(base) ?? []), video]);
  }
  const pairs = new Map<number, Video>();
  for (const [at, { name }] of photos.entries()) {
    const video = free.get(baseName(name))?.shift();
    if (video) pairs.set(at, video);
  }
  return pairs;
}
