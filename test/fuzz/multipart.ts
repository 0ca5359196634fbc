import type { Random } from "./random.ts";
import { EVIL_TEXTS } from "./values.ts";

export interface Part {
  readonly name: string;
  readonly fileName?: string;
  readonly type?: string;
  readonly body: Buffer;
}

/** Returns a multipart body with its Content-Type, sometimes malformed. */
export function multipart(parts: readonly Part[], random: Random): { type: string; body: Buffer } {
  const boundary = random.chance(0.9)
    ? "----boundary"
    : random.pick(["", "a".repeat(200), "--", "=?", "\u00e9", '"']);
  const chunks: Buffer[] = [];
  for (const { name, fileName, type, body } of parts) {
    const headers = [`Content-Disposition: form-data; name="${name}"`];
    if (fileName !== undefined) headers[0] += `; filename="${fileName}"`;
    if (type !== undefined) headers.push(`Content-Type: ${type}`);
    if (random.chance(0.05)) headers.push(`X: ${random.pick(EVIL_TEXTS)}`);
    if (random.chance(0.03)) headers.shift();
    if (random.chance(0.03)) headers.push(`X-Long: ${"y".repeat(40_000)}`);
    const end = random.chance(0.03) ? "\n" : "\r\n";
    chunks.push(
      Buffer.from(`--${boundary}${end}${headers.join(end)}${end}${end}`),
      body,
      Buffer.from("\r\n"),
    );
  }
  if (random.chance(0.93)) chunks.push(Buffer.from(`--${boundary}--\r\n`));
  let body: Buffer = Buffer.concat(chunks);
  if (random.chance(0.05)) body = body.subarray(0, random.below(body.length + 1));
  if (random.chance(0.03)) body = Buffer.concat([random.bytes(random.below(80)), body]);
  const said = random.chance(0.95) ? boundary : random.pick(["other", "", "----boundary--"]);
  const type = random.chance(0.95)
    ? `multipart/form-data; boundary=${said}`
    : random.pick([
        "multipart/form-data",
        "multipart/mixed; boundary=----boundary",
        "text/plain",
        "application/json",
      ]);
  return { type, body };
}
