import { t } from "../language.ts";

/** A spinner, or the error of the request. */
export function Loading({ error = null }: { error?: string | null }) {
  if (!error) return <span class="spinner large" role="img" aria-label={t.ui.loading} />;
  return (
    <p class="banner bad" role="alert">
      {error}
    </p>
  );
}
