import type { ArContent } from "../../../client/client.ts";

type Named = Pick<ArContent, "title" | "order_number">;

/** Returns the name of a QR code's file without its extension: the order number if there is one, and the title. */
export function qrFileName({ title, order_number }: Named): string {
  const plain = [order_number ?? "", title]
    .map((part) => part.normalize("NFKD").replace(/[^\p{L}\p{N}]+/gu, "-"))
    .join("-")
    .replace(/^-+|-+$/g, "");
  return `${plain.toLowerCase() || "vivimark"}-qr`;
}

/** Returns a different file name for each photo: equal ones are numbered. */
export function qrFileNames(photos: readonly Named[], extension: string): string[] {
  const taken = new Set<string>();
  return photos.map((photo) => {
    const base = qrFileName(photo);
    let name = `${base}.${extension}`;
    for (let number = 2; taken.has(name); number++) name = `${base}-${number}.${extension}`;
    taken.add(name);
    return name;
  });
}
