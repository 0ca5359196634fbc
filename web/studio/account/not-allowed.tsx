import { t } from "../language.ts";
import { rich } from "../ui/rich.tsx";
import { useTitle } from "../ui/title.ts";
import * as api from "./api.ts";
import { useList } from "./list.ts";
import { me } from "./me.ts";

/** In place of a page that only owners and admins may see: whom to ask. */
export function NotAllowed({ page }: { page: string }) {
  useTitle(page);
  const [members] = useList(api.listMembers);
  const texts = t.account.notAllowed;
  const { name, role } = me.value!.company!;
  const allowed = members?.filter(({ role }) => role === "owner" || role === "admin") ?? [];
  return (
    <section class="notice">
      <h1>{texts.heading}</h1>
      <p>
        {rich(texts.why(page, t.account.roles[role]), { company: () => <bdi>{name}</bdi> })}{" "}
        {allowed.length > 0 ? texts.askOneOf : texts.ask}
      </p>
      <ul>
        {allowed.map(({ id, name, email }) => (
          <li key={id}>
            <bdi>{name}</bdi>, <a href={`mailto:${email}`}>{email}</a>
          </li>
        ))}
      </ul>
      <a class="button primary" href="/">
        {t.ui.showAllPhotos}
      </a>
    </section>
  );
}
