// The Worker writes a line for each request, and the tests send thousands; its failures are shown.
console.log = (...parts: unknown[]) => {
  if (!String(parts[0]).startsWith('{"time":')) console.info(...parts);
};
