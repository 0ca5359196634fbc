import { useState } from "preact/hooks";
import type { ArContent, CompileTask, MarkerMetadata } from "../../../client/client.ts";
import { may } from "../account/me.ts";
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
        <h2>Technical details</h2>
      </summary>
      {isOpen && (
        <div class="technical-body">
          {marker_url && <KeyframesPanel content={content} url={marker_url} />}
          {marker_metadata && <Facts content={content} metadata={marker_metadata} />}
          {canRecompile && may("content:submit") && (
            <button type="button" class="button small" onClick={() => setAsking(true)}>
              <IconRetry />
              Recompile marker
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
  const facts: [string, string][] = [
    ["Target", `${metadata.width} × ${metadata.height} px`],
    ["Feature points", `${count(metadata.points)} in ${metadata.keyframes} keyframes`],
    ["Tracking points", count(metadata.tracking_points)],
    ["File size", megabytes(metadata.bytes)],
    ["Compiled", metadata.executor === "browser" ? "In a browser" : "On the server"],
  ];
  if (metadata.milliseconds !== null) facts.push(["Duration", duration(metadata.milliseconds)]);
  if (content.max_features !== null)
    facts.push(["Limit", `${count(content.max_features)} points per keyframe`]);
  facts.push(["Compiler", metadata.compiler_version]);
  if (content.marker_generated_at) facts.push(["Ready since", dateTime(content.marker_generated_at)]);
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
