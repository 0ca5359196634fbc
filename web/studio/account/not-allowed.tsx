import { useTitle } from "../ui/title.ts";
import * as api from "./api.ts";
import { useList } from "./list.ts";
import { me } from "./me.ts";

/** In place of a page that only owners and admins may see: whom to ask. */
export function NotAllowed({ page }: { page: string }) {
  useTitle(page);
  const [members] = useList(api.listMembers);
  const { name, role } = me.value!.company!;
  const allowed = members?.filter(({ role }) => role === "owner" || role === "admin") ?? [];
  return (
    <section class="notice">
      <h1>You cannot see this page</h1>
      <p>
        {page} is for owners and admins of <bdi>{name}</bdi>. Your role is {role}. To see it, ask one of them
        to change your role{allowed.length > 0 ? ":" : "."}
      </p>
      <ul>
        {allowed.map(({ id, name, email }) => (
          <li key={id}>
            <bdi>{name}</bdi>, <a href={`mailto:${email}`}>{email}</a>
          </li>
        ))}
      </ul>
      <a class="button primary" href="/">
        Show all photos
      </a>
    </section>
  );
}
