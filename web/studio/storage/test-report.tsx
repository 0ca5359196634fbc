import type { StorageConnectionReport } from "../../../client/client.ts";
import { IconCheck, IconClose } from "../ui/icons.tsx";

type Step = StorageConnectionReport["steps"][number]["step"];

const WORDS: Record<Step, string> = {
  write: "Write a file",
  read: "Read the file",
  list: "List the file",
  parts: "Upload a file in two parts",
  delete: "Delete the files",
};

const STEPS = Object.keys(WORDS) as Step[];

/** The steps of a connection test. Steps after a failed one may be skipped; a storage may have no parts. */
export function TestReport({ report }: { report: StorageConnectionReport }) {
  return (
    <div class={`test-report ${report.ok ? "good" : "bad"}`} role="status">
      <p class="test-verdict">{report.ok ? "The connection works." : "The connection does not work."}</p>
      <ol>
        {STEPS.map((name) => {
          const step = report.steps.find((each) => each.step === name);
          if (!step && report.ok) return null;
          return (
            <li key={name} class={step ? (step.ok ? "good" : "bad") : "skipped"}>
              {step ? step.ok ? <IconCheck /> : <IconClose /> : <span class="dash" aria-hidden="true" />}
              <span>
                {WORDS[name]}
                <span class="visually-hidden">{step ? (step.ok ? ": works" : ": failed") : ""}</span>
              </span>
              <span class="test-time">{step ? `${Math.round(step.milliseconds)} ms` : "skipped"}</span>
              {step?.error && <p class="test-error">{step.error.message}</p>}
            </li>
          );
        })}
      </ol>
    </div>
  );
}
