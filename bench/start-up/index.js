/** A Worker that does nothing, in place of which the benchmark puts the real one. */
export default { fetch: () => new Response("", { status: 404 }) };
