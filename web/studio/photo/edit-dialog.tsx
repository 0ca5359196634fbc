import { useEffect } from "preact/hooks";
import type { ArContent } from "../../../client/client.ts";
import * as api from "../api/content.ts";
import { loadProjects, projects } from "../company/projects.ts";
import { t } from "../language.ts";
import { useAction } from "../ui/action.ts";
import { dayOf, endOf } from "../ui/day.ts";
import { Dialog, DialogActions } from "../ui/dialog.tsx";
import { toast } from "../ui/toasts.tsx";

export function EditDialog(props: {
  content: ArContent;
  onChange: (content: ArContent) => void;
  onClose: () => void;
}) {
  const { run, isRunning, error } = useAction();
  const save = async (form: HTMLFormElement) => {
    const fields = new FormData(form);
    const textOf = (name: string) => String(fields.get(name)).trim();
    const change = {
      title: textOf("title"),
      description: textOf("description"),
      order_number: textOf("order_number"),
      customer_name: textOf("customer_name"),
      customer_email: textOf("customer_email"),
      customer_phone: textOf("customer_phone"),
      expires_at: endOf(textOf("expires_on")),
      ...moved(props.content, String(fields.get("project_id") ?? props.content.project_id)),
    };
    props.onChange(await api.updateContent(props.content.id, change));
    toast(t.photo.edit.saved);
    props.onClose();
  };
  return (
    <Dialog title={t.photo.edit.title} error={error} onClose={props.onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const form = event.currentTarget;
          void run(() => save(form));
        }}
      >
        <label class="field">
          <span>{t.photo.edit.titleOfPhoto}</span>
          <input name="title" required maxLength={200} defaultValue={props.content.title} />
        </label>
        <label class="field">
          <span>{t.photo.edit.description}</span>
          <textarea name="description" rows={4} maxLength={2000} defaultValue={props.content.description} />
        </label>
        <label class="field">
          <span>{t.photo.edit.orderNumber}</span>
          <input
            name="order_number"
            maxLength={64}
            autoComplete="off"
            defaultValue={props.content.order_number ?? ""}
          />
          <small>{t.photo.edit.orderNumberHint}</small>
        </label>
        <CustomerFields content={props.content} />
        <ProjectField content={props.content} />
        <label class="field">
          <span>{t.photo.edit.expiry}</span>
          <input name="expires_on" type="date" defaultValue={dayOf(props.content.expires_at)} />
          <small>{t.photo.edit.expiryHint}</small>
        </label>
        <DialogActions submit={t.photo.edit.save} isRunning={isRunning} onClose={props.onClose} />
      </form>
    </Dialog>
  );
}

function CustomerFields({ content }: { content: ArContent }) {
  return (
    <fieldset class="field-group">
      <legend>{t.photo.edit.customer}</legend>
      <label class="field">
        <span>{t.photo.edit.name}</span>
        <input
          name="customer_name"
          maxLength={200}
          autoComplete="off"
          defaultValue={content.customer_name ?? ""}
        />
      </label>
      <label class="field">
        <span>{t.photo.edit.email}</span>
        <input
          name="customer_email"
          inputMode="email"
          maxLength={254}
          autoComplete="off"
          defaultValue={content.customer_email ?? ""}
        />
      </label>
      <label class="field">
        <span>{t.photo.edit.phone}</span>
        <input
          name="customer_phone"
          type="tel"
          maxLength={40}
          autoComplete="off"
          defaultValue={content.customer_phone ?? ""}
        />
      </label>
      <small>{t.photo.edit.customerHint}</small>
    </fieldset>
  );
}

/** Hidden if there is only one project. */
function ProjectField({ content }: { content: ArContent }) {
  useEffect(() => void loadProjects(), []);
  const choices = (projects.value ?? []).filter(
    ({ id, archived_at }) => archived_at === null || id === content.project_id,
  );
  if (choices.length < 2) return null;
  return (
    <label class="field">
      <span>{t.photo.edit.project}</span>
      <select name="project_id">
        {choices.map(({ id, name }) => (
          <option key={id} value={id} selected={id === content.project_id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Leaves out an unchanged project: the API refuses to move content into an archived one. */
function moved(content: ArContent, projectId: string) {
  return projectId === content.project_id ? {} : { project_id: projectId };
}
