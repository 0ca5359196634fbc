import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { t } from "../language.ts";
import { isWeak, QualityLine, reasonsOf } from "../quality.tsx";
import { dateTime } from "../ui/format.ts";
import { IconBack, IconClose, IconCrop, IconPhoto, IconVideo } from "../ui/icons.tsx";
import { rich } from "../ui/rich.tsx";
import {
  type Candidate,
  candidates,
  edited,
  isReviewed,
  removeAllCandidates,
  removeCandidate,
  rescore,
  setVideo,
  submitCandidates,
  tableProblems,
  unpairedVideos,
  usable,
} from "./candidates.ts";
import { Editor } from "./editor.tsx";
import "./review.css";

/** The chosen photos with their scores, to edit, remove or upload. */
export function Review() {
  if (candidates.value.length === 0) return null;
  return <ReviewDialog />;
}

function ReviewDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const candidate = edited.value;
  const alone = candidates.value.length === 1;
  // Read before the dialog opens and takes the focus.
  const [opener] = useState(() => document.activeElement);
  useLayoutEffect(() => {
    const element = dialog.current!;
    element.showModal();
    return () => {
      element.close();
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  const shown = useRef(candidate);
  useEffect(() => {
    if (shown.current === candidate) return;
    shown.current = candidate;
    heading.current!.focus();
  }, [candidate]);

  const texts = t.add;
  const [isAsking, setAsking] = useState(false);
  const back = () => {
    if (!candidate || alone) return removeAllCandidates();
    if (candidate.state.value.kind === "scoring") void rescore(candidate);
    edited.value = null;
  };
  const onEscape = () => {
    if (isAsking || (!candidate && isReviewed.value)) setAsking(!isAsking);
    else back();
  };
  return (
    <dialog
      ref={dialog}
      class={candidate ? "review editing" : "review"}
      aria-labelledby="review-title"
      onCancel={(event) => {
        // The cancel event of a file chooser bubbles up to here.
        if (event.target !== dialog.current || !event.cancelable) return;
        event.preventDefault();
        onEscape();
      }}
      // The browser closes a dialog at the second Escape in a row, whatever the page says.
      onClose={() => {
        if (candidates.value.length === 0) return;
        dialog.current!.showModal();
        onEscape();
      }}
    >
      <div class="review-head">
        {candidate && !alone && (
          <button type="button" class="icon-button" aria-label={texts.backToAll} onClick={back}>
            <IconBack />
          </button>
        )}
        <h2 id="review-title" ref={heading} tabIndex={-1} dir="auto">
          {candidate ? candidate.details.value.title : texts.heading}
        </h2>
        <button
          type="button"
          class="icon-button"
          aria-label={texts.closeWithoutAdding}
          onClick={removeAllCandidates}
        >
          <IconClose />
        </button>
      </div>
      {candidate ? (
        <Editor
          key={candidate.key}
          candidate={candidate}
          done={alone ? texts.addPhoto : texts.done}
          onDone={() => (alone ? submitCandidates() : (edited.value = null))}
          cancel={alone ? t.ui.cancel : texts.back}
          onCancel={back}
        />
      ) : (
        <CandidateList isAsking={isAsking} onKeep={() => setAsking(false)} />
      )}
    </dialog>
  );
}

function CandidateList({ isAsking, onKeep }: { isAsking: boolean; onKeep: () => void }) {
  return (
    <>
      <div class="review-body">
        <Leftovers />
        <ul class="candidates" aria-label={t.add.heading}>
          {candidates.value.map((candidate) => (
            <CandidateRow key={candidate.key} candidate={candidate} />
          ))}
        </ul>
      </div>
      {isAsking ? <DiscardQuestion onKeep={onKeep} /> : <AddPhotos />}
    </>
  );
}

function AddPhotos() {
  const ready = usable.value.length;
  const left = candidates.value.length - ready;
  return (
    <div class="review-foot">
      {left > 0 && ready > 0 && <p class="hint">{t.add.cannotBeAdded(left)}</p>}
      <button type="button" class="button" onClick={removeAllCandidates}>
        {ready > 0 ? t.ui.cancel : t.add.close}
      </button>
      {ready > 0 && (
        <button type="button" class="button primary" autofocus onClick={submitCandidates}>
          {t.add.addPhotos(ready)}
        </button>
      )}
    </div>
  );
}

/** Asks after Escape whether the photos are to be discarded. */
function DiscardQuestion({ onKeep }: { onKeep: () => void }) {
  const keep = useRef<HTMLButtonElement>(null);
  useEffect(() => keep.current!.focus(), []);
  const texts = t.add;
  const question = texts.discardQuestion(candidates.value.length);
  return (
    <div class="review-foot" role="alertdialog" aria-label={question}>
      <p>
        {question} {texts.discardEffect}
      </p>
      <button ref={keep} type="button" class="button" onClick={onKeep}>
        {texts.keepReviewing}
      </button>
      <button type="button" class="button danger" onClick={removeAllCandidates}>
        {texts.discard}
      </button>
    </div>
  );
}

/** What was chosen and is not used. */
function Leftovers() {
  const videos = unpairedVideos.value;
  const names = videos.map(({ name }) => name).join(", ");
  return (
    <>
      {tableProblems.value.length > 0 && (
        <ul class="banner bad" aria-label={t.add.table.problems}>
          {tableProblems.value.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      )}
      {videos.length > 0 && (
        <p class="banner">{rich(t.add.unpaired(videos.length), { names: () => names })}</p>
      )}
    </>
  );
}

function CandidateRow({ candidate }: { candidate: Candidate }) {
  const { details, draft, state } = candidate;
  const { title, order_number, expires_at } = details.value;
  const texts = t.add;
  const facts = [
    order_number && texts.order(order_number),
    expires_at && texts.shownUntil(dateTime(expires_at)),
  ];
  const refused = state.value.kind === "refused";
  return (
    <li class={refused ? "candidate refused" : "candidate"}>
      <div class="candidate-picture">
        <IconPhoto />
        <img
          key={draft.value.url}
          src={draft.value.url}
          alt=""
          decoding="async"
          onError={({ currentTarget }) => currentTarget.remove()}
        />
      </div>
      <div class="candidate-text">
        <h3 dir="auto">{title}</h3>
        {facts.some(Boolean) && <p class="hint">{facts.filter(Boolean).join(", ")}</p>}
        <CandidateStatus candidate={candidate} />
        {!refused && <VideoChoice candidate={candidate} />}
      </div>
      <div class="candidate-actions">
        {!refused && (
          <button
            type="button"
            class="button small"
            aria-label={texts.editOne(title)}
            onClick={() => (edited.value = candidate)}
          >
            <IconCrop />
            <span>{texts.edit}</span>
          </button>
        )}
        <button
          type="button"
          class="icon-button"
          aria-label={texts.removeOne(title)}
          onClick={() => removeCandidate(candidate)}
        >
          <IconClose />
        </button>
      </div>
    </li>
  );
}

/** Hidden while no video is chosen. */
function VideoChoice({ candidate }: { candidate: Candidate }) {
  const own = candidate.video.value;
  const choices = own ? [own, ...unpairedVideos.value] : unpairedVideos.value;
  if (choices.length === 0) return null;
  return (
    <label class="candidate-video">
      <IconVideo />
      <span class="visually-hidden">{t.add.videoOf(candidate.details.value.title)}</span>
      <select
        value={own ? "0" : ""}
        onChange={({ currentTarget }) => {
          const { value } = currentTarget;
          setVideo(candidate, value === "" ? null : choices[Number(value)]);
        }}
      >
        <option value="">{t.add.noVideo}</option>
        {choices.map(({ name }, at) => (
          <option key={`${name}-${at}`} value={String(at)}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function CandidateStatus({ candidate }: { candidate: Candidate }) {
  const state = candidate.state.value;
  switch (state.kind) {
    case "refused":
      return (
        <p class="candidate-error" role="alert">
          {state.message}
        </p>
      );
    case "scoring":
      return <p class="hint">{t.add.scoring}</p>;
    case "unscored":
      return <p class="hint">{t.add.unscored}</p>;
    case "scored":
      if (state.refusal) {
        return (
          <p class="candidate-error" role="alert">
            {state.refusal}
          </p>
        );
      }
      return (
        <>
          <QualityLine quality={state.quality} />
          {isWeak(state.quality) && (
            <p class="candidate-warning">
              {t.add.weak} {reasonsOf(state.quality)[0]?.message}
            </p>
          )}
        </>
      );
  }
}
