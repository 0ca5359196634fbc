/** Stands where what was asked for will be, or says why it is not coming. */
export function Waiting({ error }: { error: string | null }) {
  if (!error) return <span class="spinner large" role="img" aria-label="Loading" />;
  return (
    <p class="banner bad" role="alert">
      {error}
    </p>
  );
}
