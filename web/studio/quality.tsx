import { useEffect, useRef, useState } from "preact/hooks";
import { findEmptyThirds } from "../../compiler/quality/reasons.ts";
import type { Quality, QualityReason } from "../../compiler/quality.ts";
import { t } from "./language.ts";
import { count } from "./ui/format.ts";
import { hidden, rich } from "./ui/rich.tsx";
import "./quality.css";

/** A photo with at most this many stars gets a warning. */
const WEAK_STARS = 2;

/** Screen readers announce a score after it has not changed for this long. */
const ANNOUNCE_PAUSE_MS = 700;

export function isWeak({ stars }: Quality): boolean {
  return stars <= WEAK_STARS;
}

/** Returns a word for a score. */
function verdictText({ stars }: Quality): string {
  const { verdicts } = t.quality;
  if (stars >= 4.5) return verdicts.excellent;
  if (stars >= 3.5) return verdicts.good;
  if (stars > WEAK_STARS) return verdicts.fair;
  return stars >= 1 ? verdicts.weak : verdicts.veryWeak;
}

/** Five stars, full, half or empty. */
export function Stars({ stars }: { stars: number }) {
  return (
    <span class="stars" role="img" aria-label={t.quality.stars(count(stars))}>
      <StarRow />
      <span class="stars-full" style={{ width: `${20 * stars}%` }}>
        <StarRow />
      </span>
    </span>
  );
}

const STAR =
  "M10 1.8l2.5 5.3 5.700.8-4.200 4 1.100 5.800L10 14.900l-5.100 2.800 1.100-5.800-4.200-4 5.700-.8z";

function StarRow() {
  return (
    <svg viewBox="0 0 100 20" fill="currentColor" aria-hidden="true">
      {[0, 20, 40, 60, 80].map((x) => (
        <path key={x} d={STAR} transform={`translate(${x} 0)`} />
      ))}
    </svg>
  );
}

/** Stars, word and number on one line. */
export function QualityLine({ quality }: { quality: Quality }) {
  return (
    <span class={isWeak(quality) ? "quality-line weak" : "quality-line"}>
      <Stars stars={quality.stars} />
      <span>{t.quality.verdictAndScore(verdictText(quality), quality.score)}</span>
    </span>
  );
}

/** A score with its stars, meaning and parts, and how to improve it. */
export function QualityReport({ quality }: { quality: Quality }) {
  const { score, stars, parts, print } = quality;
  const reasons = reasonsOf(quality);
  return (
    <div class="quality">
      <div class="quality-sum">
        <div class={isWeak(quality) ? "quality-head weak" : "quality-head"}>
          <p class="quality-score">
            {rich(t.quality.score, { score: () => <strong>{score}</strong>, hidden })}
          </p>
          <div>
            <Stars stars={stars} />
            <p class="quality-verdict">{verdictText(quality)}</p>
          </div>
        </div>
        <p class="hint">
          {expectationText(quality)}
          {print !== null && ` ${t.quality.printSize(centimetres(print))}`}
        </p>
        <p class="hint">{t.quality.measured}</p>
        <ul class="quality-parts" aria-label={t.quality.partsOfScore}>
          {parts.map((part) => (
            <li key={part.name}>
              <span>{t.quality.parts[part.name]}</span>
              <span class="quality-bar" aria-hidden="true">
                <span style={{ transform: `scaleX(${part.score / 100})` }} />
              </span>
              <span class="quality-number">{part.score}</span>
            </li>
          ))}
        </ul>
      </div>
      {reasons.length > 0 && (
        <ul class="quality-reasons" aria-label={t.quality.improvements}>
          {reasons.map(({ code, message, advice }) => (
            <li key={code}>
              <strong>{message}</strong> {advice}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** Returns the reasons of a score in the studio's language; the compiler gives them in English. */
export function reasonsOf(quality: Pick<Quality, "reasons" | "map" | "print">): QualityReason[] {
  return quality.reasons.map((reason) => ({ ...reason, ...textsOf(reason, quality) }));
}

function textsOf(
  { code, message, advice }: QualityReason,
  { map, print }: Pick<Quality, "map" | "print">,
): Omit<QualityReason, "code"> {
  const { reasons } = t.quality;
  if (code === "empty_area") {
    const thirds = findEmptyThirds(map);
    // An earlier compiler may have found another area in this map.
    if (!thirds?.length) return { message, advice };
    return { ...reasons.empty_area, message: reasons.empty_area.message(thirds) };
  }
  if (code !== "small_in_print") return reasons[code];
  if (print === null) return { message, advice };
  return { ...reasons.small_in_print, advice: reasons.small_in_print.advice(centimetres(print)) };
}

/** Returns a length in whole centimetres, rounded up. */
function centimetres(millimetres: number): number {
  return Math.ceil(millimetres / 10);
}

function expectationText({ player, score }: Quality): string {
  const { finds } = t.quality;
  if (player === "mindar") return finds.inMindar(score);
  if (score >= 99) return finds.always;
  return score <= 1 ? finds.rarely : finds.sometimes(score);
}

/** Announces the score to screen readers after it has stopped changing. */
export function QualityAnnouncement({ quality }: { quality: Quality | null }) {
  const [said, setSaid] = useState("");
  const words = quality ? t.quality.announcement(quality.score, verdictText(quality)) : "";
  const newest = useRef(words);
  newest.current = words;
  useEffect(() => {
    const timer = setTimeout(() => setSaid(newest.current), ANNOUNCE_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [words]);
  return (
    <p class="visually-hidden" role="status">
      {said}
    </p>
  );
}
