import type { StorageConnectionReport } from "../../../client/client.ts";
import { t } from "../language.ts";
import { IconCheck, IconClose } from "../ui/icons.tsx";
import { rich } from "../ui/rich.tsx";

type Step = StorageConnectionReport["steps"][number]["step"];

/** The steps of a connection test. Steps after a failed one may be skipped; a storage may have no parts. */
export function TestReport({ report }: { report: StorageConnectionReport }) {
  const texts = t.storage.report;
  const steps = Object.keys(texts.steps) as Step[];
  return (
    <div class={`test-report ${report.ok ? "good" : "bad"}`} role="status">
      <p class="test-verdict">{report.ok ? texts.works : texts.fails}</p>
      <ol>
        {steps.map((name) => {
          const step = report.steps.find((each) => each.step === name);
          if (!step && report.ok) return null;
          const words = texts.steps[name];
          return (
            <li key={name} class={step ? (step.ok ? "good" : "bad") : "skipped"}>
              {step ? step.ok ? <IconCheck /> : <IconClose /> : <span class="dash" aria-hidden="true" />}
              <span>
                {step
                  ? rich(step.ok ? texts.stepWorks(words) : texts.stepFailed(words), {
                      outcome: (part) => <span class="visually-hidden">{part}</span>,
                    })
                  : words}
              </span>
              <span class="test-time">
                {step ? t.ui.milliseconds(Math.round(step.milliseconds)) : texts.skipped}
              </span>
              {step?.error && <p class="test-error">{step.error.message}</p>}
            </li>
          );
        })}
      </ol>
    </div>
  );
}
