import { useRef, useState } from "preact/hooks";
import type { ArContent } from "../../../client/client.ts";
import * as api from "../api/content.ts";
import { copyText } from "../ui/copy.ts";
import { IconCopy, IconDownload, IconOpen } from "../ui/icons.tsx";
import { Switch } from "../ui/switch.tsx";
import { toastError } from "../ui/toasts.tsx";

/** Side of the PNG, pixels: 85 mm at 300 dpi. */
const PNG_SIDE = 1_024;

export function SharePanel({ content }: { content: ArContent }) {
  const link = useRef<HTMLInputElement>(null);
  const [isDebug, setDebug] = useState(false);
  const address = new URL(content.viewer_url, location.href).href;

  const downloadPng = () =>
    rasterise(content.id).then((png) => save(png, `${fileName(content)}.png`), toastError);

  return (
    <section class="panel" aria-labelledby="share-title">
      <h2 id="share-title">Share</h2>
      <div class="share">
        <img class="qr" src={content.qr_url} alt={`QR code of ${address}`} width="148" height="148" />
        <div class="share-text">
          <p class="hint">Print this code next to the photo. Scanning it opens the viewer.</p>
          <div class="share-actions">
            <a class="button small" href={content.qr_url} download={`${fileName(content)}.svg`}>
              <IconDownload />
              <span class="visually-hidden">Download </span>SVG
            </a>
            <button type="button" class="button small" onClick={downloadPng}>
              <IconDownload />
              <span class="visually-hidden">Download </span>PNG
            </button>
          </div>
        </div>
      </div>
      <div class="link-field">
        <label>
          <span class="visually-hidden">Link to the viewer</span>
          <input
            ref={link}
            readOnly
            value={address}
            onFocus={({ currentTarget }) => currentTarget.select()}
          />
        </label>
        <button type="button" class="button" onClick={() => void copyText(address, "Link", link.current)}>
          <IconCopy />
          Copy link
        </button>
      </div>
      <a
        class="button primary wide"
        href={isDebug ? `${content.viewer_url}?debug` : content.viewer_url}
        target="_blank"
        rel="noopener"
      >
        <IconOpen />
        Open viewer
      </a>
      <div class="share-debug">
        <Switch label="Debug view" on={isDebug} onChange={setDebug} />
        <p class="hint">Shows what the player sees, over the camera.</p>
      </div>
    </section>
  );
}

function fileName({ title }: ArContent): string {
  const plain = title
    .normalize("NFKD")
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-+|-+$/g, "");
  return `${plain.toLowerCase() || "vivimark"}-qr`;
}

/** Returns the QR code as a PNG. */
async function rasterise(id: string): Promise<Blob> {
  const source = URL.createObjectURL(await api.downloadQrCode(id));
  try {
    const image = new Image(PNG_SIDE, PNG_SIDE);
    image.src = source;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = PNG_SIDE;
    const context = canvas.getContext("2d")!;
    context.imageSmoothingEnabled = false;
    context.drawImage(image, 0, 0, PNG_SIDE, PNG_SIDE);
    return await new Promise((resolve, reject) =>
      canvas.toBlob((png) => (png ? resolve(png) : reject(new Error("The PNG could not be written.")))),
    );
  } finally {
    URL.revokeObjectURL(source);
  }
}

function save(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
