import type { ArContent } from "../../../client/client.ts";
import { phoneProblem } from "../../print/phone-problem.ts";

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
      {problem === "localhost"
        ? `No phone can open this QR code: it leads to ${origin}, which is this computer.`
        : `No phone can play the video from this QR code: it leads to ${origin}, and phones use the camera only on https pages.`}{" "}
      Before you print, the operator must set PUBLIC_URL to an https address.
    </p>
  );
}
