import type { StorageConnectionReport } from "../../../client/client.ts";
import { IconCheck, IconClose } from "../ui/icons.tsx";

type Step = StorageConnectionReport["steps"][number]["step"];

const WORDS: Record<Step, string> = {
  write: "Write a file",
  read: "Read it back",
  list: "Find it in the list",
  delete: "Delete it",
};

const STEPS = Object.keys(WORDS) as Step[];

/** What a test did, step by step. A step after a failed one may not have been tried. */
export function TestReport({ report }: { report: StorageConnectionReport }) {
  return (
    <div class={`test-report ${report.ok ? "good" : "bad"}`} role="status">
      <p class="test-verdict">
        {report.ok ? "It works: everything that Vivimark needs can be done." : "It does not work yet."}
      </p>
      <ol>
        {STEPS.map((name) => {
          const step = report.steps.find((each) => each.step === name);
          return (
            <li key={name} class={step ? (step.ok ? "good" : "bad") : "skipped"}>
              {step ? step.ok ? <IconCheck /> : <IconClose /> : <span class="dash" aria-hidden="true" />}
              <span>
                {WORDS[name]}
                <span class="visually-hidden">{step ? (step.ok ? ": works" : ": failed") : ""}</span>
              </span>
              <span class="test-time">{step ? `${Math.round(step.milliseconds)} ms` : "not tried"}</span>
              {step?.error && <p class="test-error">{step.error.message}</p>}
            </li>
          );
        })}
      </ol>
    </div>
  );
}
