import { t } from "../language.ts";
import * as api from "./api.ts";

/** Creates and uses passkeys (WebAuthn). The library is loaded on first use. */
const library = () => import("@simplewebauthn/browser");

/** Returns why this page cannot use passkeys; null if it can. */
export function whyNoPasskeys({ hostname, host, port }: Location = location): string | null {
  const texts = t.account.passkeys;
  if (/^\[|^\d+(\.\d+){3}$/.test(hostname)) {
    const isHere = hostname === "127.0.0.1" || hostname === "[::1]";
    return isHere ? texts.localAddress(host, `http://localhost${port && `:${port}`}`) : texts.ipAddress(host);
  }
  if (!isSecureContext) return texts.httpsRequired;
  return "PublicKeyCredential" in window ? null : texts.unsupported;
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
  const texts = t.account.passkeys;
  switch (reason.name) {
    case "NotAllowedError":
    case "AbortError":
      return new Error(texts.canceled);
    case "InvalidStateError":
      return new Error(texts.exists);
    case "ConstraintError":
      return new Error(texts.cannotVerify);
    case "SecurityError":
      return new Error(texts.otherAddress(rpId));
    default:
      return new Error(texts.browserError(reason.message));
  }
}
