import { hex, sha256 } from "./sha256.ts";

/**
 * Tokens: secrets that give access to their holder. The database stores their hashes, so that a copy of it is
 * useless. Ids are names: lists, logs and URLs may contain them, and they give access to nothing.
 */

const TOKEN_BYTES = 32;

/** Of tokens that an operator sets. */
const MIN_TOKEN_LENGTH = 16;

export interface NewToken {
  /** 256 random bits in lower-case hexadecimal. */
  readonly token: string;
  readonly hash: string;
}

export async function newToken(): Promise<NewToken> {
  const token = hex(crypto.getRandomValues(new Uint8Array(TOKEN_BYTES)));
  return { token, hash: await hashToken(token) };
}

/** Returns the stored hash of a token. Its random bits need neither a salt nor a slow hash. */
export function hashToken(token: string): Promise<string> {
  return sha256(new TextEncoder().encode(token));
}

/**
 * Returns whether a token is the one that an operator has set, in a time that does not reveal where they differ. Nothing
 * matches one that is missing, or short enough to be guessed.
 */
export async function matchesToken(given: string, expected: string): Promise<boolean> {
  if (expected.length < MIN_TOKEN_LENGTH) return false;
  const [a, b] = await Promise.all([given, expected].map(hashToken));
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
