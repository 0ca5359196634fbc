import { renderSVG } from "uqr";

/** An address as a QR code: an SVG document. Level M mends what wear does to print; scanners expect the border. */
export function drawQrCode(address: string): string {
  return renderSVG(address, { ecc: "M", border: 4 });
}
