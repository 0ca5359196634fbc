import { useEffect, useRef, useState } from "preact/hooks";
import type { ArContent, VideoPlayback } from "../../../client/client.ts";
import { fitOf, keepToPart, WHOLE } from "../../video/playback.ts";
import * as api from "../api/content.ts";
import { t } from "../language.ts";
import { useAction } from "../ui/action.ts";
import { Dialog, DialogActions } from "../ui/dialog.tsx";
import { tenths } from "../ui/format.ts";
import { toast } from "../ui/toasts.tsx";
import { dragged, endedAt, type Size, slackOf, startedAt } from "./placement.ts";
import "./playback-dialog.css";

const NO_SIZE: Size = { width: 0, height: 0 };

/** Chooses how viewers play the video, which lies on the photo as they will see it. */
export function PlaybackDialog(props: {
  content: ArContent;
  onChange: (content: ArContent) => void;
  onClose: () => void;
}) {
  const { content, onChange, onClose } = props;
  const texts = t.video.playback;
  const { video_metadata: metadata } = content;
  const [settings, setSettings] = useState(content.video_playback ?? WHOLE);
  const [duration, setDuration] = useState(metadata?.duration ?? 0);
  const [size, setSize] = useState<Size | null>(null);
  const [isPlaying, setPlaying] = useState(false);
  const [isBroken, setBroken] = useState(false);
  const video = useRef<HTMLVideoElement>(null);
  const { run, isRunning, error } = useAction();
  const { start, end, poster } = settings;
  useEffect(() => keepToPart(video.current!, settings, true), [start, end]);

  const photo = { width: content.image_width, height: content.image_height };
  const slack = size ? slackOf(settings.fit, photo, size) : NO_SIZE;
  const change = (part: Partial<VideoPlayback>) => setSettings((now) => ({ ...now, ...part }));

  /** Shows the frame of the time that is being chosen. */
  const show = (seconds: number) => {
    video.current!.pause();
    video.current!.currentTime = seconds;
  };

  const save = async () => {
    onChange(await api.putPlayback(content.id, settings));
    toast(texts.saved);
    onClose();
  };

  return (
    <Dialog title={texts.title} error={error} onClose={onClose}>
      <form
        class="playback"
        onSubmit={(event) => {
          event.preventDefault();
          void run(save);
        }}
      >
        <div class="playback-preview">
          <Stage photo={photo} slack={slack} place={settings} onMove={change}>
            <img src={content.picture_url ?? content.image_url} alt="" draggable={false} />
            <video
              ref={video}
              src={content.video_url ?? undefined}
              style={fitOf(settings)}
              muted={settings.is_muted}
              playsInline
              preload="auto"
              aria-label={texts.onPhoto}
              onLoadedMetadata={({ currentTarget }) => {
                const { videoWidth: width, videoHeight: height, duration } = currentTarget;
                setSize({ width, height });
                // The API knows the one in the file's header.
                if (metadata?.duration == null && Number.isFinite(duration)) setDuration(duration);
                currentTarget.currentTime = start;
              }}
              onPlay={() => setPlaying(true)}
              onPause={() => setPlaying(false)}
              onError={() => setBroken(true)}
            />
          </Stage>
          {isBroken ? (
            <p class="hint">{texts.unplayable}</p>
          ) : (
            <button
              type="button"
              class="button small"
              onClick={() =>
                isPlaying ? video.current!.pause() : video.current!.play().catch(() => undefined)
              }
            >
              {isPlaying ? texts.pause : texts.play}
            </button>
          )}
        </div>
        <div class="playback-settings">
          <fieldset class="choices">
            <legend>{texts.fit}</legend>
            {(["cover", "contain"] as const).map((fit) => (
              <label key={fit} class="choice">
                <input
                  type="radio"
                  name="fit"
                  checked={settings.fit === fit}
                  onChange={() => change({ fit, x: WHOLE.x, y: WHOLE.y })}
                />
                <span>
                  <strong>{texts.fits[fit].label}</strong>
                  {texts.fits[fit].result}
                </span>
              </label>
            ))}
          </fieldset>
          {slack.width !== 0 && <Place label={texts.x} value={settings.x} onChange={(x) => change({ x })} />}
          {slack.height !== 0 && <Place label={texts.y} value={settings.y} onChange={(y) => change({ y })} />}
          {isMovable(slack) && <p class="hint">{texts.drag}</p>}
          {duration > 0 && (
            <>
              <Time
                label={texts.start}
                value={start}
                max={duration}
                onChange={(seconds) => {
                  const next = startedAt(settings, seconds, duration);
                  setSettings(next);
                  show(next.start);
                }}
              />
              <Time
                label={texts.end}
                value={end ?? duration}
                max={duration}
                onChange={(seconds) => {
                  const next = endedAt(settings, seconds, duration);
                  setSettings(next);
                  show(next.end ?? duration);
                }}
              />
              <Check
                label={texts.poster}
                result={texts.posterEffect}
                isOn={poster !== null}
                onChange={(isOn) => {
                  change({ poster: isOn ? start : null });
                  show(start);
                }}
              />
              {poster !== null && (
                <Time
                  label={texts.posterTime}
                  value={poster}
                  max={duration}
                  onChange={(seconds) => {
                    change({ poster: seconds });
                    show(seconds);
                  }}
                />
              )}
            </>
          )}
          {metadata?.has_sound !== false && (
            <Check
              label={texts.mute}
              result={texts.muteEffect}
              isOn={settings.is_muted}
              onChange={(isMuted) => change({ is_muted: isMuted })}
            />
          )}
        </div>
        <DialogActions submit={texts.save} isRunning={isRunning} onClose={onClose} />
      </form>
    </Dialog>
  );
}

const isMovable = ({ width, height }: Size) => width !== 0 || height !== 0;

interface Drag {
  readonly pointer: number;
  readonly x: number;
  readonly y: number;
  readonly from: Pick<VideoPlayback, "x" | "y">;
}

/** The photo, on which the video can be dragged by mouse and touch. */
function Stage(props: {
  photo: Size;
  slack: Size;
  place: Pick<VideoPlayback, "x" | "y">;
  onMove: (place: Pick<VideoPlayback, "x" | "y">) => void;
  children: preact.ComponentChildren;
}) {
  const { photo, slack, place, onMove } = props;
  const drag = useRef<Drag | null>(null);
  const letGo = () => {
    drag.current = null;
  };
  return (
    <div
      class={`playback-stage ${isMovable(slack) ? "is-movable" : ""}`}
      style={{ "--ratio": photo.width / photo.height }}
      onPointerDown={({ pointerId, clientX, clientY, currentTarget, button }) => {
        if (!isMovable(slack) || button !== 0 || drag.current) return;
        currentTarget.setPointerCapture(pointerId);
        drag.current = { pointer: pointerId, x: clientX, y: clientY, from: place };
        // The dialog closes on a tap outside as long as there was no input.
        currentTarget.dispatchEvent(new Event("input", { bubbles: true }));
      }}
      onPointerMove={({ pointerId, clientX, clientY, currentTarget }) => {
        const held = drag.current;
        if (held?.pointer !== pointerId) return;
        const scale = photo.width / currentTarget.clientWidth;
        const by = { width: (clientX - held.x) * scale, height: (clientY - held.y) * scale };
        onMove(dragged(held.from, slack, by));
      }}
      onPointerUp={letGo}
      onPointerCancel={letGo}
    >
      {props.children}
    </div>
  );
}

function Check(props: { label: string; result: string; isOn: boolean; onChange: (isOn: boolean) => void }) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={props.isOn}
        onChange={({ currentTarget }) => props.onChange(currentTarget.checked)}
      />
      <span>
        {props.label}
        <small>{props.result}</small>
      </span>
    </label>
  );
}

function Place(props: { label: string; value: number; onChange: (value: number) => void }) {
  return <Slider {...props} max={1} step={0.01} text={t.video.percent(Math.round(100 * props.value))} />;
}

function Time(props: { label: string; value: number; max: number; onChange: (value: number) => void }) {
  return <Slider {...props} step={0.1} text={tenths(props.value)} />;
}

function Slider(props: {
  label: string;
  value: number;
  max: number;
  step: number;
  text: string;
  onChange: (value: number) => void;
}) {
  return (
    <label class="playback-slider">
      <span>{props.label}</span>
      <input
        type="range"
        min={0}
        max={props.max}
        step={props.step}
        value={props.value}
        aria-valuetext={props.text}
        onInput={({ currentTarget }) => props.onChange(Number(currentTarget.value))}
      />
      <output>{props.text}</output>
    </label>
  );
}
