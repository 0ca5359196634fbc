import { useEffect, useState } from "preact/hooks";
import type { StorageConnection, StorageMigration } from "../../../client/client.ts";
import { messageOf } from "../api/errors.ts";
import { poll } from "../api/poll.ts";
import { t } from "../language.ts";
import { Loading } from "../ui/loading.tsx";
import { useTitle } from "../ui/title.ts";
import { toast } from "../ui/toasts.tsx";
import * as api from "./api.ts";
import { ConnectionCard } from "./connection-card.tsx";
import { ConnectionDialog } from "./connection-dialog.tsx";
import { IconPlus } from "./icons.tsx";
import { MigrationDialog, MigrationPanel } from "./migration-panel.tsx";
import "./storage-page.css";

interface Loaded {
  readonly connections: readonly StorageConnection[];
  readonly migrations: readonly StorageMigration[];
}

/** A finished migration is shown for this long. */
const RECENT_MILLISECONDS = 24 * 3_600_000;

/** The company's storage connections. */
export function StoragePage() {
  useTitle(t.storage.title);
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [open, setOpen] = useState<"add" | "move" | null>(null);
  // Increased after a change, to load the result at once.
  const [changes, setChanges] = useState(0);
  const refresh = () => setChanges((before) => before + 1);
  const close = () => setOpen(null);

  useEffect(showYandexOutcome, []);
  useEffect(
    () =>
      poll(async (signal) => {
        try {
          const [connections, migrations] = await Promise.all([
            api.listConnections(signal),
            api.listMigrations(signal),
          ]);
          setLoaded({ connections, migrations });
          setError(null);
          return migrations.some(({ state }) => state === "running");
        } catch (reason) {
          if (!signal.aborted) setError(messageOf(reason));
          throw reason;
        }
      }),
    [changes],
  );

  const current = loaded?.connections.find(({ is_current }) => is_current);
  const all = totalOf(loaded?.connections ?? []);
  const migration = loaded?.migrations[0];
  const isMoving = migration?.state === "running" || migration?.state === "paused";
  const nameOf = (id: string) =>
    loaded?.connections.find((each) => each.id === id)?.name ?? t.storage.deletedConnection;
  return (
    <div class="storage-page">
      <div class="page-intro">
        <div>
          <h1>{t.storage.title}</h1>
          <p class="description">{t.storage.intro}</p>
        </div>
        <button type="button" class="button primary" onClick={() => setOpen("add")}>
          <IconPlus />
          {t.storage.add}
        </button>
      </div>
      {error && (
        <p class="banner bad" role="status">
          {error}
        </p>
      )}
      {!loaded && !error && <Loading />}
      {migration && (isMoving || isRecent(migration)) && (
        <MigrationPanel
          key={migration.id}
          migration={migration}
          toName={nameOf(migration.to)}
          onChange={refresh}
          onAgain={() => setOpen("move")}
        />
      )}
      {loaded && (
        <div class="connections">
          {loaded.connections.map((connection) => (
            <ConnectionCard
              key={connection.id}
              connection={connection}
              all={all}
              isMoving={isMoving}
              onChange={refresh}
              onMove={() => setOpen("move")}
            />
          ))}
        </div>
      )}
      {open === "add" && (
        <ConnectionDialog
          saved={null}
          onSaved={() => {
            close();
            refresh();
          }}
          onClose={close}
        />
      )}
      {open === "move" && current && (
        <MigrationDialog
          to={current.id}
          toName={current.name}
          files={all.count - current.files.count}
          onStarted={() => {
            close();
            refresh();
          }}
          onClose={close}
        />
      )}
    </div>
  );
}

function totalOf(connections: readonly StorageConnection[]) {
  const count = connections.reduce((sum, { files }) => sum + files.count, 0);
  const bytes = connections.reduce((sum, { files }) => sum + files.bytes, 0);
  return { count, bytes };
}

function isRecent({ updated_at: at }: StorageMigration): boolean {
  return Date.now() - Date.parse(at) < RECENT_MILLISECONDS;
}

/** Shows the outcome of the sign-in at Yandex, which is in the address. */
function showYandexOutcome(): void {
  const answer = new URLSearchParams(location.search);
  if (answer.has("connection")) toast(t.storage.yandexAdded);
  const error = answer.get("error");
  if (error) toast(error, "bad");
  if (location.search) history.replaceState(history.state, "", location.pathname);
}
