import type { ArContent } from "../../../client/client.ts";
import { phoneProblem } from "../../print/phone-problem.ts";
import { t } from "../language.ts";

/** Returns the address in a photo's QR code. */
export function codeAddress({ viewer_url }: Pick<ArContent, "viewer_url">): string {
  return new URL(viewer_url, location.href).href;
}

/** Says that no phone can use a QR code, and why; nothing if phones can. */
export function PhoneWarning({ address }: { address: string }) {
  const problem = phoneProblem(address);
  if (problem === null) return null;
  const { origin } = new URL(address);
  return (
    <p class="phone-warning" role="note">
      {t.print.unusableCode[problem](origin)}
    </p>
  );
}
