import type { Checked } from "./health.ts";
import type { PlatformState, QueueDepth } from "./state.ts";

export const METRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";

interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Family {
  readonly name: string;
  readonly type: "gauge" | "counter" | "info";
  readonly help: string;
  readonly unit?: "seconds";
  readonly samples: readonly Sample[];
}

export interface Measured {
  readonly state: PlatformState;
  readonly dependencies: Readonly<Record<string, Checked>>;
  readonly queues: readonly QueueDepth[];
  readonly places: number;
  readonly deployment: string;
  readonly now: number;
}

/**
 * Returns the metrics of the platform as OpenMetrics text. Counts are sums over all companies; no label names a company,
 * a person or a photo, so that there are always as many series.
 *
 * Source: https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
 */
export function toOpenMetrics(measured: Measured): string {
  return `${familiesOf(measured).flatMap(linesOf).join("\n")}\n# EOF\n`;
}

function familiesOf({ state, dependencies, queues, places, deployment, now }: Measured): Family[] {
  const { counts, running, nextDueAt, sweep, schema } = state;
  const seconds = (since: number | null | undefined) => (since ? Math.max(0, now - since) / 1000 : 0);
  return [
    {
      name: "vivimark_build",
      type: "info",
      help: "The deployment of the Worker and the newest database migration.",
      samples: [{ labels: { deployment, database: schema ?? "" }, value: 1 }],
    },
    {
      name: "vivimark_dependency_up",
      type: "gauge",
      help: "Whether a dependency responds.",
      samples: Object.entries(dependencies).map(([dependency, { ok }]) => ({
        labels: { dependency },
        value: Number(ok),
      })),
    },
    {
      name: "vivimark_photos",
      type: "gauge",
      help: "Photos by the status of their marker.",
      samples: (["pending", "processing", "ready", "failed"] as const).map((status) => ({
        labels: { status },
        value: counts[`photos_${status}`],
      })),
    },
    {
      name: "vivimark_compilations",
      type: "counter",
      help: "Compilations that ended, by outcome and last executor.",
      samples: (["ready", "failed"] as const).flatMap((outcome) =>
        (["browser", "node", "none"] as const).map((executor) => ({
          labels: { outcome, executor },
          value: counts[`compilations_${outcome}_${executor}`],
        })),
      ),
    },
    {
      name: "vivimark_compilations_running",
      type: "gauge",
      help: "Compilations that the Node compiler has.",
      samples: [{ value: running }],
    },
    {
      name: "vivimark_compile_places",
      type: "gauge",
      help: "Compilations that the Node compiler runs at a time.",
      samples: [{ value: places }],
    },
    {
      name: "vivimark_compilation_delay_seconds",
      type: "gauge",
      unit: "seconds",
      help: "Time since which the longest waiting compilation is due.",
      samples: [{ value: seconds(nextDueAt) }],
    },
    {
      name: "vivimark_queue_messages",
      type: "gauge",
      help: "Messages that wait in a queue.",
      samples: queues.flatMap(({ name: queue, messages }) =>
        messages === null ? [] : [{ labels: { queue }, value: messages }],
      ),
    },
    {
      name: "vivimark_queue_delay_seconds",
      type: "gauge",
      unit: "seconds",
      help: "Age of the oldest message in a queue.",
      samples: queues.flatMap(({ name: queue, messages, oldestAt }) =>
        messages === null ? [] : [{ labels: { queue }, value: seconds(oldestAt) }],
      ),
    },
    {
      name: "vivimark_webhooks_pending",
      type: "gauge",
      help: "Webhook deliveries that are not finished.",
      samples: [{ value: counts.webhooks_pending }],
    },
    {
      name: "vivimark_webhooks",
      type: "counter",
      help: "Webhook deliveries that ended, by outcome.",
      samples: (["delivered", "failed"] as const).map((outcome) => ({
        labels: { outcome },
        value: counts[`webhooks_${outcome}`],
      })),
    },
    {
      name: "vivimark_dead_letters",
      type: "gauge",
      help: "Compilations and webhook deliveries that were given up and can be retried.",
      samples: (["compile", "webhooks"] as const).map((queue) => ({
        labels: { queue },
        value: counts[`dead_letters_${queue}`],
      })),
    },
    {
      name: "vivimark_sweep_age_seconds",
      type: "gauge",
      unit: "seconds",
      help: "Time since the last sweep without a failed step.",
      samples: [{ value: seconds(sweep?.succeededAt) }],
    },
    {
      name: "vivimark_sweep_duration_seconds",
      type: "gauge",
      unit: "seconds",
      help: "Duration of the last sweep.",
      samples: [{ value: sweep ? (sweep.finishedAt - sweep.startedAt) / 1000 : 0 }],
    },
    {
      name: "vivimark_sweep_failed_steps",
      type: "gauge",
      help: "Steps of the last sweep that failed.",
      samples: [{ value: sweep?.failedSteps.length ?? 0 }],
    },
  ];
}

function linesOf({ name, type, help, unit, samples }: Family): string[] {
  const suffix = { gauge: "", counter: "_total", info: "_info" }[type];
  return [
    `# TYPE ${name} ${type}`,
    ...(unit ? [`# UNIT ${name} ${unit}`] : []),
    `# HELP ${name} ${help}`,
    ...samples.map(({ labels, value }) => `${name}${suffix}${labelsOf(labels)} ${value}`),
  ];
}

function labelsOf(labels: Sample["labels"]): string {
  if (!labels) return "";
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => (character === "\n" ? "\\n" : `\\${character}`));
}
