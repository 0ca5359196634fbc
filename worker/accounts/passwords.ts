/// <reference path="./node-crypto.d.ts" />
import { scrypt, timingSafeEqual } from "node:crypto";
import { hex } from "../sha256.ts";

/** scrypt with 32 MB of memory (RFC 7914): 0.1 s in workerd, and expensive to try in bulk. */
const COST = { N: 2 ** 15, r: 8, p: 1 } as const;
const MAX_MEMORY_BYTES = 64 * 2 ** 20;
const KEY_BYTES = 32;
const SALT_BYTES = 16;

export const MIN_PASSWORD_LENGTH = 10;
export const MAX_PASSWORD_LENGTH = 128;
/** Of zxcvbn's scores, 3 of 4: safe even if somebody copies the database (at least 10^8 guesses). */
export const MIN_PASSWORD_SCORE = 3;

/** @returns `scrypt:N:r:p:salt:key`, the last two in hexadecimal */
export async function hashPassword(password: string): Promise<string> {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  const key = await derive(password, salt, COST);
  return ["scrypt", COST.N, COST.r, COST.p, hex(salt), hex(key)].join(":");
}

export async function verifyPassword({
  hash,
  password,
}: {
  hash: string;
  password: string;
}): Promise<boolean> {
  const [name, n, r, p, salt, key] = hash.split(":");
  if (name !== "scrypt" || key === undefined) return false;
  const cost = { N: Number(n), r: Number(r), p: Number(p) };
  return timingSafeEqual(await derive(password, bytesOf(salt), cost), bytesOf(key));
}

/** Normalizes first: keyboards differ in whether they compose characters. */
function derive(
  password: string,
  salt: Uint8Array,
  cost: { readonly N: number; readonly r: number; readonly p: number },
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const options = { ...cost, maxmem: MAX_MEMORY_BYTES };
    scrypt(password.normalize("NFKC"), salt, KEY_BYTES, options, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

function bytesOf(hexadecimal: string): Uint8Array {
  return Uint8Array.from(hexadecimal.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
}
