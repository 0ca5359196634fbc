import { t } from "../language.ts";
import { dateTime } from "../ui/format.ts";
import { Loading } from "../ui/loading.tsx";
import { hidden, rich } from "../ui/rich.tsx";
import { toastError } from "../ui/toasts.tsx";
import * as api from "./api.ts";
import { deviceOf } from "./device.ts";
import { useList } from "./list.ts";

export function SessionsPanel() {
  const [sessions, refresh, error] = useList(api.listSessions);
  return (
    <section class="panel" aria-labelledby="sessions-title">
      <h2 id="sessions-title">{t.account.sessions}</h2>
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
                <span class="hint">{t.account.currentSession}</span>
              ) : (
                <button
                  type="button"
                  class="button small danger-quiet"
                  onClick={() => void api.revokeSession(id).catch(toastError).then(refresh)}
                >
                  {rich(t.account.signOutDevice, { hidden, device: () => device })}
                </button>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
