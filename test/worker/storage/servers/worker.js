export default { fetch: () => new Response("There is only storage here.", { status: 404 }) };
