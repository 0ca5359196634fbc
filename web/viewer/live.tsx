import { useSignal } from "@preact/signals";
import type { FunctionComponent } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ViewerManifest } from "../../client/client.ts";
import { compose, type Homography } from "../../player/homography.ts";
import { fitOf, keepToPart, shownAt, WHOLE } from "../video/playback.ts";
import type { Engine } from "./engine.ts";
import { CheckIcon, CloseIcon, PictureIcon, PlayIcon, SoundOffIcon, SoundOnIcon } from "./icons.tsx";
import { t } from "./language.ts";
import { enter, isDebug, leave } from "./navigation.ts";
import { Notice } from "./notice.tsx";
import { FINAL_PROBLEMS } from "./problems.ts";
import { cover, toMatrix3d } from "./projection.ts";
import { openSession, type Phase, type Session } from "./session.ts";

/** Shows the camera, with the video on the photo. */
export function Live({ manifest, engine }: { manifest: ViewerManifest; engine: Engine }) {
  const [attempt, setAttempt] = useState(0);
  return <Attempt key={attempt} manifest={manifest} engine={engine} retry={() => setAttempt(attempt + 1)} />;
}

type VideoState = "none" | "loading" | "ready" | "needs-tap" | "broken";

function Attempt(props: { manifest: ViewerManifest; engine: Engine; retry: () => void }) {
  const { manifest, engine } = props;
  const playback = manifest.video_playback ?? WHOLE;
  const isWhole = playback.start === 0 && playback.end === null;
  const view = useRef<HTMLVideoElement>(null);
  const overlay = useRef<HTMLDivElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const [session, setSession] = useState<Session | null>(null);
  const [Debug, setDebug] = useState<FunctionComponent<{ engine: Engine }> | null>(null);
  const muted = useSignal(true);
  const videoState = useSignal<VideoState>(manifest.video_url ? "loading" : "none");

  useLayoutEffect(() => {
    const camera = view.current!;
    const stage = camera.parentElement!;
    let pose: Homography | null = null;

    function layOut(): void {
      if (!pose || !overlay.current || camera.videoWidth === 0) return;
      const frame = { width: camera.videoWidth, height: camera.videoHeight };
      const screen = { width: stage.clientWidth, height: stage.clientHeight };
      overlay.current.style.transform = toMatrix3d(compose(cover(frame, screen), pose));
    }

    const opened = openSession(camera, engine, (found) => {
      pose = found;
      layOut();
    });
    const sizes = new ResizeObserver(layOut);
    sizes.observe(stage);
    setSession(opened);
    return () => {
      sizes.disconnect();
      opened.close();
    };
  }, [engine]);

  const phase: Phase = session?.phase.value ?? { name: "camera" };
  const target = session?.target.value;
  const found = phase.name === "found";
  // The video fades in when it has a picture, and out from where the photo was.
  const shown = found && videoState.value !== "loading" && videoState.value !== "broken";

  async function play(): Promise<void> {
    if (!video.current) return;
    try {
      await video.current.play();
      videoState.value = "ready";
    } catch (error) {
      // Losing the photo interrupts a pending play(), which is not a failure.
      if (error instanceof DOMException && error.name === "NotAllowedError") videoState.value = "needs-tap";
    }
  }

  // Before the next paint: the sound stops as soon as the photo is lost.
  useLayoutEffect(() => {
    if (found) play();
    else video.current?.pause();
  }, [found]);

  useEffect(() => {
    if (video.current && !isWhole) return keepToPart(video.current, playback, true);
  }, []);

  useEffect(() => heading.current?.focus(), []);

  useEffect(() => {
    if (isDebug) import("./debug.tsx").then(({ DebugView }) => setDebug(() => DebugView));
  }, []);

  useEffect(() => {
    const leaveOnEscape = (event: KeyboardEvent) => event.key === "Escape" && leave();
    addEventListener("keydown", leaveOnEscape);
    return () => removeEventListener("keydown", leaveOnEscape);
  }, []);

  if (phase.name === "failed") {
    const { title, advice } = t.problems[phase.problem];
    const canRetry = !FINAL_PROBLEMS.has(phase.problem);
    return (
      <Notice title={title} tone="warn">
        <p>{advice}</p>
        <div class="actions">
          {canRetry && (
            <button type="button" class="button" onClick={props.retry}>
              {t.tryAgain}
            </button>
          )}
          <PlainButton manifest={manifest} primary={!canRetry} />
        </div>
      </Notice>
    );
  }

  return (
    <main class="live">
      <h1 class="visually-hidden" ref={heading} tabIndex={-1}>
        {t.live.cameraViewOf(manifest.title)}
      </h1>
      <video ref={view} class="live-camera" playsInline muted autoPlay aria-label={t.live.camera} />
      <div
        ref={overlay}
        class={`live-overlay ${found ? "is-found" : ""} ${shown ? "is-shown" : ""} ${manifest.video_url ? "" : "is-empty"}`}
        style={target ? { width: `${target.width}px`, height: `${target.height}px` } : undefined}
        aria-hidden={!found}
      >
        {manifest.video_url && (
          <video
            ref={video}
            src={shownAt(manifest.video_url, playback.start)}
            style={fitOf(playback)}
            playsInline
            // Without a gap between the end and the beginning.
            loop={isWhole}
            muted={muted.value}
            preload="auto"
            aria-label={t.plain.videoOf(manifest.title)}
            onCanPlay={() => {
              if (videoState.value === "loading") videoState.value = "ready";
            }}
            onError={() => (videoState.value = "broken")}
          />
        )}
      </div>

      {Debug && <Debug engine={engine} />}

      <header class="live-bar">
        <p class="live-title" dir="auto">
          {manifest.title}
        </p>
        <button type="button" class="round-button" onClick={leave} aria-label={t.live.closeCamera}>
          <CloseIcon />
        </button>
      </header>

      {phase.name === "searching" || found ? (
        <footer class="live-foot">
          <Hint manifest={manifest} found={found} videoState={videoState.value} />
          <div class="live-controls">
            {videoState.value === "needs-tap" && (
              <button type="button" class="glass-button is-strong" onClick={play}>
                <PlayIcon /> {t.live.play}
              </button>
            )}
            {manifest.video_url && !playback.is_muted && (
              <button
                type="button"
                class="glass-button"
                onClick={() => {
                  muted.value = !muted.value;
                }}
              >
                {muted.value ? <SoundOnIcon /> : <SoundOffIcon />}
                {muted.value ? t.live.unmute : t.live.mute}
              </button>
            )}
            <button type="button" class="glass-button" onClick={() => enter("plain")}>
              <PictureIcon /> {t.live.withoutCamera}
            </button>
          </div>
        </footer>
      ) : (
        <Loading manifest={manifest} phase={phase} engine={engine} videoState={videoState.value} />
      )}
    </main>
  );
}

function Hint(props: { manifest: ViewerManifest; found: boolean; videoState: VideoState }) {
  const { manifest, found, videoState } = props;
  const { hints } = t.live;
  const isQuiet = found && videoState === "ready";
  const message = found ? hints[videoState] : hints.searching;
  return (
    <div class={`live-hint ${isQuiet ? "is-quiet" : ""}`} role="status">
      {!found && manifest.thumbnail_url && <img src={manifest.thumbnail_url} alt={manifest.title} />}
      <p>{isQuiet ? <span class="visually-hidden">{message}</span> : message}</p>
    </div>
  );
}

function Loading(props: { manifest: ViewerManifest; phase: Phase; engine: Engine; videoState: VideoState }) {
  const { manifest, phase, engine, videoState } = props;
  const isCameraOpen = phase.name !== "camera";
  const texts = t.live.steps;
  const percent = Math.round(engine.progress.value * 100);
  const steps: { label: string; state: "waiting" | "running" | "done"; note?: string }[] = [
    { label: texts.camera, state: isCameraOpen ? "done" : "running", note: texts.allowAccess },
    { label: texts.marker, state: percent === 100 ? "done" : "running", note: `${percent}%` },
    { label: texts.player, state: percent === 100 ? "running" : "waiting", note: texts.starting },
  ];
  if (manifest.video_url) {
    steps.push({ label: texts.video, state: videoState === "loading" ? "running" : "done" });
  }
  return (
    <section class="live-loading" role="status" aria-label={t.loading}>
      {manifest.thumbnail_url && <img src={manifest.thumbnail_url} alt="" />}
      <ol>
        {steps.map(({ label, state, note }) => (
          <li key={label} class={`is-${state}`}>
            <span class="step-mark">
              {state === "done" ? <CheckIcon /> : state === "running" ? <span class="spinner" /> : null}
            </span>
            {label}
            {state === "running" && <span class="step-note">{note}</span>}
            {state === "done" && <span class="visually-hidden">{texts.ready}</span>}
          </li>
        ))}
      </ol>
    </section>
  );
}

function PlainButton({ manifest, primary }: { manifest: ViewerManifest; primary: boolean }) {
  return (
    <button type="button" class={primary ? "button" : "button is-quiet"} onClick={() => enter("plain")}>
      {manifest.video_url ? t.live.viewPhotoAndVideo : t.live.viewPhoto}
    </button>
  );
}
