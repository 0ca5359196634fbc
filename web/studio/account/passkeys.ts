import * as api from "./api.ts";

/** Creates and uses passkeys (WebAuthn). The library is loaded on first use. */
const library = () => import("@simplewebauthn/browser");

/** Returns why this page cannot use passkeys; null if it can. */
export function whyNoPasskeys({ hostname, host, port }: Location = location): string | null {
  if (/^\[|^\d+(\.\d+){3}$/.test(hostname)) {
    const isHere = hostname === "127.0.0.1" || hostname === "[::1]";
    const instead = isHere ? `http://localhost${port && `:${port}`}` : "Vivimark by its domain name";
    return `Passkeys do not work at an IP address such as ${host}. Open ${instead} instead.`;
  }
  if (!isSecureContext) return "Passkeys require https.";
  return "PublicKeyCredential" in window ? null : "This browser does not support passkeys.";
}

/** Creates a passkey and adds it to the account. */
export async function addPasskey(name: string, password: string): Promise<void> {
  const [{ startRegistration }, options] = await Promise.all([library(), api.beginPasskey(password)]);
  const response = await startRegistration({ optionsJSON: options }).catch((reason) => {
    throw explained(reason, options.rp.id);
  });
  await api.addPasskey({ name, response });
}

/** Signs in with a passkey that the person chooses. */
export async function signInWithPasskey(): Promise<void> {
  const [{ startAuthentication }, options] = await Promise.all([library(), api.beginPasskeySignIn()]);
  // The server refuses an answer without user verification.
  const optionsJSON = { ...options, userVerification: "required" } as const;
  const response = await startAuthentication({ optionsJSON }).catch((reason) => {
    throw explained(reason, options.rpId);
  });
  await api.signInWithPasskey(response);
}

/** Returns an error with a message that people understand. */
function explained(reason: Error, rpId = ""): Error {
  switch (reason.name) {
    case "NotAllowedError":
    case "AbortError":
      return new Error("The passkey request was canceled or timed out. Try again.");
    case "InvalidStateError":
      return new Error("This device or password manager already has a passkey for your account.");
    case "ConstraintError":
      return new Error("This device cannot verify you with a PIN, fingerprint or face. Use another device.");
    case "SecurityError":
      return new Error(`Passkeys work only at ${rpId}. Open that address to use one.`);
    default:
      return new Error(`The browser reported an error: ${reason.message}`);
  }
}
