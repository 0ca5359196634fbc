import * as api from "./api.ts";

/** What a browser does with passkeys (WebAuthn). The library for it is loaded when somebody wants one. */
const library = () => import("@simplewebauthn/browser");

/** Why this page has no use for passkeys, for a person to read; null: it has. */
export function whyNoPasskeys({ hostname, host, port }: Location = location): string | null {
  if (/^\[|^\d+(\.\d+){3}$/.test(hostname)) {
    const isHere = hostname === "127.0.0.1" || hostname === "[::1]";
    const instead = isHere ? `http://localhost${port && `:${port}`}` : "Vivimark by its name";
    return `A passkey belongs to a name, and ${host} is a number. To use one, open ${instead}.`;
  }
  if (!isSecureContext) return "Browsers use passkeys over https only.";
  return "PublicKeyCredential" in window ? null : "This browser has no passkeys.";
}

/** Has the browser make a passkey, and adds it to the account of whoever is signed in. */
export async function addPasskey(name: string, password: string): Promise<void> {
  const [{ startRegistration }, options] = await Promise.all([library(), api.beginPasskey(password)]);
  const response = await startRegistration({ optionsJSON: options }).catch((reason) => {
    throw inWords(reason, options.rp.id);
  });
  await api.addPasskey({ name, response });
}

/** Signs whoever the chosen passkey belongs to in. */
export async function signInWithPasskey(): Promise<void> {
  const [{ startAuthentication }, options] = await Promise.all([library(), api.beginPasskeySignIn()]);
  // What did not ask who they are is refused by the server.
  const optionsJSON = { ...options, userVerification: "required" } as const;
  const response = await startAuthentication({ optionsJSON }).catch((reason) => {
    throw inWords(reason, options.rpId);
  });
  await api.signInWithPasskey(response);
}

/** What WebAuthn's exceptions mean, by their names, for a person to read. */
function inWords(reason: Error, rpId = ""): Error {
  switch (reason.name) {
    case "NotAllowedError":
    case "AbortError":
      return new Error("Nothing was done: it was cancelled, or took too long.");
    case "InvalidStateError":
      return new Error("This device, or password manager, has a passkey for your account already.");
    case "ConstraintError":
      return new Error(
        "This device cannot ask who you are, by a PIN, a fingerprint or a face. Try another one.",
      );
    case "SecurityError":
      return new Error(`Passkeys of this Vivimark belong to ${rpId}. To use one, open it there.`);
    default:
      return new Error(`The browser could not do it: ${reason.message}`);
  }
}
