import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../language.ts";
import { IconFolder, IconUpload } from "../ui/icons.tsx";
import { toastError } from "../ui/toasts.tsx";
import { VIDEO_FILES } from "../video/video.ts";
import { addCandidates } from "./candidates.ts";
import { filesOf, ofFolder } from "./folder.ts";
import { PHOTO_FILES } from "./read-photo.ts";

/** What the file chooser offers: photos, videos that are paired with them, and tables with their details. */
const FILE_TYPES = `${PHOTO_FILES},${VIDEO_FILES},.csv`;

const dragging = signal(false);

/** Takes photos that are dropped or pasted anywhere on the page. Shows an overlay while they hover. */
export function DropTarget() {
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    let depth = 0;
    const hover = (change: number) => {
      depth = Math.max(0, depth + change);
      dragging.value = depth > 0;
    };
    const carriesFiles = (event: DragEvent) =>
      event.dataTransfer?.types.some((type) => type === "Files") ?? false;

    addEventListener("dragenter", (event) => carriesFiles(event) && hover(+1), { signal });
    addEventListener("dragleave", (event) => carriesFiles(event) && hover(-1), { signal });
    addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault(), { signal });
    addEventListener(
      "drop",
      (event) => {
        if (!carriesFiles(event)) return;
        hover(-depth);
        if (event.defaultPrevented) return;
        event.preventDefault();
        void filesOf(event.dataTransfer!).then(take);
      },
      { signal },
    );
    addEventListener(
      "paste",
      (event) => {
        const files = event.clipboardData?.files;
        if (!files?.length) return;
        event.preventDefault();
        take([...files]);
      },
      { signal },
    );
    return () => controller.abort();
  }, []);

  if (!dragging.value) return null;
  return (
    <div class="drop-overlay" aria-hidden="true">
      <div class="drop-overlay-frame">
        <IconUpload />
        {t.add.dropNow}
      </div>
    </div>
  );
}

/** A button that opens the file chooser. It is large on an empty page. */
export function DropZone({ large }: { large: boolean }) {
  const input = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const texts = t.add;
  return (
    <div class={large ? "drop-zone large" : "drop-zone"}>
      <button type="button" class="drop-zone-button" onClick={() => input.current!.click()}>
        <span class="drop-zone-icon">
          <IconUpload />
        </span>
        <span class="drop-zone-text">
          <strong>
            <span class="for-mouse">{texts.drop}</span>
            <span class="for-touch">{texts.choose}</span>
          </strong>
          <span>{texts.formats}</span>
        </span>
      </button>
      <input
        ref={input}
        class="visually-hidden"
        type="file"
        accept={FILE_TYPES}
        multiple
        tabIndex={-1}
        aria-label={texts.photosToChoose}
        onChange={({ currentTarget }) => {
          take([...currentTarget.files!]);
          currentTarget.value = "";
        }}
      />
      <button type="button" class="folder-button" onClick={() => folder.current!.click()}>
        <IconFolder />
        {texts.chooseFolder}
      </button>
      <input
        ref={folder}
        class="visually-hidden"
        type="file"
        // @ts-expect-error: Preact's types do not know it. All browsers on computers do.
        webkitdirectory
        tabIndex={-1}
        aria-label={texts.folderToChoose}
        onChange={({ currentTarget }) => {
          take(ofFolder([...currentTarget.files!]));
          currentTarget.value = "";
        }}
      />
    </div>
  );
}

function take(files: readonly File[]): void {
  if (files.length > 0) addCandidates(files).catch(toastError);
}
