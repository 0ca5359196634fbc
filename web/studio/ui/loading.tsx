/** A spinner, or the error of the request. */
export function Loading({ error = null }: { error?: string | null }) {
  if (!error) return <span class="spinner large" role="img" aria-label="Loading" />;
  return (
    <p class="banner bad" role="alert">
      {error}
    </p>
  );
}
