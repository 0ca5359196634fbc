import { dateTime } from "../ui/format.ts";
import { Loading } from "../ui/loading.tsx";
import { toastError } from "../ui/toasts.tsx";
import * as api from "./api.ts";
import { useList } from "./list.ts";

export function SessionsPanel() {
  const [sessions, refresh, error] = useList(api.listSessions);
  return (
    <section class="panel" aria-labelledby="sessions-title">
      <h2 id="sessions-title">Sessions</h2>
      {!sessions && <Loading error={error} />}
      <ul class="rows">
        {sessions?.map(({ id, current, address, user_agent, last_used_at }) => {
          const device = deviceOf(user_agent ?? "");
          return (
            <li key={id}>
              <span>
                {device} <small>{[address, dateTime(last_used_at)].filter(Boolean).join(", ")}</small>
              </span>
              {current ? (
                <span class="hint">current</span>
              ) : (
                <button
                  type="button"
                  class="button small danger-quiet"
                  onClick={() => void api.revokeSession(id).catch(toastError).then(refresh)}
                >
                  Sign out<span class="visually-hidden"> {device}</span>
                </button>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** In order of priority: most browsers also claim to be others. */
const BROWSERS = [
  [/Edg/, "Edge"],
  [/OPR/, "Opera"],
  [/SamsungBrowser/, "Samsung Internet"],
  [/Firefox|FxiOS/, "Firefox"],
  [/Chrom|CriOS/, "Chrome"],
  [/Safari/, "Safari"],
] as const;

const SYSTEMS = [
  [/iPhone/, "iPhone"],
  [/iPad/, "iPad"],
  [/Android/, "Android"],
  [/Windows/, "Windows"],
  [/Mac OS X/, "macOS"],
  [/CrOS/, "ChromeOS"],
  [/Linux/, "Linux"],
] as const;

/** Returns a readable name of a browser and its system. */
export function deviceOf(userAgent: string): string {
  const named = (names: readonly (readonly [RegExp, string])[]) =>
    names.find(([pattern]) => pattern.test(userAgent))?.[1];
  const [browser, system] = [named(BROWSERS), named(SYSTEMS)];
  if (browser && system) return `${browser} on ${system}`;
  return browser ?? system ?? "Unknown browser";
}
