// Server-sent events read by fetch: EventSource can send no token.

/**
 * The events of a stream, their data parsed as JSON; ends with the stream.
 * @param {Response} response
 * @returns {AsyncGenerator<{event: string, value: any}>}
 */
export async function* eventsOf(response) {
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      rest += value.replaceAll("\r\n", "\n");
      const blocks = rest.split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const { event, data } = parsed(block);
        if (data) yield { event, value: JSON.parse(data) };
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** The name and the joined `data:` lines of one event; comments and other fields are passed over. @param {string} block */
export function parsed(block) {
  const fields = block.split("\n").map((line) => /^(event|data): ?(.*)$/.exec(line));
  const of = (/** @type {string} */ name) => fields.flatMap((field) => (field?.[1] === name ? [field[2]] : []));
  return { event: of("event").at(-1) ?? "message", data: of("data").join("\n") };
}
