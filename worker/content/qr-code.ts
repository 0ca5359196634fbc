import { renderSVG } from "uqr";

/**
 * Returns an address as a QR code, an SVG document in UTF-8. Level M tolerates worn print; scanners expect the border.
 */
export function drawQrCode(address: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(new TextEncoder().encode(renderSVG(address, { ecc: "M", border: 4 })));
}
