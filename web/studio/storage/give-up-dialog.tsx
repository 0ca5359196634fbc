import { useEffect, useState } from "preact/hooks";
import type { StorageConnection, StorageConnectionLosses } from "../../../client/client.ts";
import { messageOf } from "../api/errors.ts";
import { t } from "../language.ts";
import { ConfirmDialog } from "../ui/confirm-dialog.tsx";
import { toast } from "../ui/toasts.tsx";
import * as api from "./api.ts";
import { lossesText } from "./losses.ts";

/** Confirms that the files of a lost storage are given up, after it has told what is lost. */
export function GiveUpDialog(props: {
  connection: StorageConnection;
  onGivenUp: () => void;
  onClose: () => void;
}) {
  const { id, name } = props.connection;
  const [losses, setLosses] = useState<StorageConnectionLosses | null>(null);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    api.getLosses(id, stop.signal).then(setLosses, (reason) => {
      if (!stop.signal.aborted) setError(messageOf(reason));
    });
    return () => stop.abort();
  }, [id]);
  return (
    <ConfirmDialog
      title={t.storage.giveUp.question(name)}
      action={t.storage.giveUp.action}
      isDanger
      isDisabled={!losses}
      work={async () => {
        if (!losses) return;
        // The number of photos tells the server that the person knew it.
        await api.giveUpFiles(id, losses.photos);
        toast(t.storage.giveUp.started(name));
        props.onGivenUp();
      }}
      onClose={props.onClose}
    >
      {losses ? `${lossesText(losses)} ${t.storage.giveUp.effect}` : (error ?? t.storage.giveUp.counting)}
    </ConfirmDialog>
  );
}
