import { useState } from "preact/hooks";
import type { ArContent, CompileTask, MarkerMetadata } from "../../../client/client.ts";
import { may } from "../account/me.ts";
import { t } from "../language.ts";
import { count, dateTime, duration, megabytes } from "../ui/format.ts";
import { IconRetry } from "../ui/icons.tsx";
import { HistoryPanel } from "./history-panel.tsx";
import { KeyframesPanel } from "./keyframes-panel.tsx";
import { RecompileDialog } from "./marker-panel.tsx";

/** The marker's keyframes, its compiler and its history, closed at first. */
export function TechnicalDetails(props: {
  content: ArContent;
  tasks: readonly CompileTask[];
  canRecompile: boolean;
  onChange: (content: ArContent) => void;
}) {
  const { content, tasks, canRecompile, onChange } = props;
  const { marker_url, marker_metadata } = content;
  const [isOpen, setOpen] = useState(false);
  const [asking, setAsking] = useState(false);
  return (
    <details class="panel technical" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        <h2>{t.photo.technical.title}</h2>
      </summary>
      {isOpen && (
        <div class="technical-body">
          {marker_url && <KeyframesPanel content={content} url={marker_url} />}
          {marker_metadata && <Facts content={content} metadata={marker_metadata} />}
          {canRecompile && may("content:submit") && (
            <button type="button" class="button small" onClick={() => setAsking(true)}>
              <IconRetry />
              {t.photo.technical.recompile}
            </button>
          )}
          <HistoryPanel tasks={tasks} />
        </div>
      )}
      {asking && <RecompileDialog content={content} onChange={onChange} onClose={() => setAsking(false)} />}
    </details>
  );
}

function Facts({ content, metadata }: { content: ArContent; metadata: MarkerMetadata }) {
  const texts = t.photo.technical;
  const facts: [string, string][] = [
    [texts.target, t.photo.dimensions(metadata.width, metadata.height)],
    [texts.featurePoints, texts.pointsInKeyframes(count(metadata.points), metadata.keyframes)],
    [texts.trackingPoints, count(metadata.tracking_points)],
    [texts.fileSize, megabytes(metadata.bytes)],
    [texts.compiled, t.photo.executors[metadata.executor]],
  ];
  if (metadata.milliseconds !== null) facts.push([texts.duration, duration(metadata.milliseconds)]);
  if (content.max_features !== null) facts.push([texts.limit, texts.pointsPerKeyframe(content.max_features)]);
  facts.push([texts.compiler, metadata.compiler_version]);
  if (content.marker_generated_at) facts.push([texts.readySince, dateTime(content.marker_generated_at)]);
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
