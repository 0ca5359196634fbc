import { renderSVG } from "uqr";

/**
 * Returns an address as a QR code, an SVG document. Level M tolerates worn print; scanners expect the border.
 */
export function drawQrCode(address: string): string {
  return renderSVG(address, { ecc: "M", border: 4 });
}
