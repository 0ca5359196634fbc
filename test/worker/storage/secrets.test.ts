import { describe, expect, it } from "vitest";
import { Vault } from "../../../worker/storage/secrets.ts";

const keyOf = (byte: number) => btoa(String.fromCharCode(byte).repeat(32));
const OLD = `2025:${keyOf(1)}`;
const NEW = `2026:${keyOf(2)}`;
const SECRET = "ключ: s3cr3t/+=";

describe("a vault", () => {
  it("opens what it sealed, in the same context", async () => {
    const vault = new Vault(NEW);
    const sealed = await vault.seal(SECRET, "row/1");
    expect(sealed.keyId).toBe("2026");
    expect(atob(sealed.text)).toHaveLength(12 + new TextEncoder().encode(SECRET).length + 16);
    expect(await vault.open(sealed, "row/1")).toBe(SECRET);
  });

  it("never seals the same text the same way", async () => {
    const vault = new Vault(NEW);
    const texts = await Promise.all([1, 2, 3].map(() => vault.seal(SECRET, "row/1")));
    expect(new Set(texts.map(({ text }) => text)).size).toBe(3);
  });

  it("does not open a text in another context", async () => {
    const vault = new Vault(NEW);
    const sealed = await vault.seal(SECRET, "row/1");
    await expect(vault.open(sealed, "row/2")).rejects.toThrow(/cannot decrypt/);
  });

  it("does not open a text with a changed byte", async () => {
    const vault = new Vault(NEW);
    const sealed = await vault.seal("abc", "row/1");
    const bytes = Array.from(atob(sealed.text), (character) => character.charCodeAt(0));
    for (let i = 0; i < bytes.length; i++) {
      const changed = bytes.with(i, bytes[i] ^ 1);
      const text = btoa(String.fromCharCode(...changed));
      await expect(vault.open({ ...sealed, text }, "row/1")).rejects.toThrow(/cannot decrypt/);
    }
  });

  it("seals with the newest key and opens with the older ones too", async () => {
    const sealed = await new Vault(OLD).seal(SECRET, "row/1");
    const rotated = new Vault(`${NEW},${OLD}`);
    expect(rotated.newestKeyId).toBe("2026");
    expect(await rotated.open(sealed, "row/1")).toBe(SECRET);
    expect((await rotated.seal(SECRET, "row/1")).keyId).toBe("2026");
  });

  it("names the key that is missing", async () => {
    const sealed = await new Vault(OLD).seal(SECRET, "row/1");
    await expect(new Vault(NEW).open(sealed, "row/1")).rejects.toThrow('lacks the key "2025"');
    const impostor = new Vault(`2025:${keyOf(3)}`);
    await expect(impostor.open(sealed, "row/1")).rejects.toThrow('"2025" of SECRETS_KEYS cannot decrypt');
  });

  it("seals nothing without keys", async () => {
    const vault = new Vault("");
    expect(vault.newestKeyId).toBeNull();
    await expect(vault.seal(SECRET, "row/1")).rejects.toThrow("SECRETS_KEYS is missing");
  });

  it.each([
    ["no id", keyOf(1), 'expected "id:base64key"'],
    ["no base64", "a:***", 'expected "id:base64key"'],
    ["broken base64", "a:AAAAA", "is not base64"],
    ["16 bytes", `a:${btoa("x".repeat(16))}`, "16 bytes; expected 32"],
    ["one id twice", `${OLD},${OLD}`, 'Entry 2 of SECRETS_KEYS repeats the id "2025"'],
  ])("refuses keys with %s, and never repeats them", (_name, keys, sentence) => {
    let message = "";
    try {
      new Vault(keys).check();
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain(sentence);
    expect(message).not.toContain(keyOf(1));
  });
});
