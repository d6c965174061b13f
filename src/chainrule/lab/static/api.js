/** How the page asks the lab: JSON there, and JSON, a file or a stream of JSON back. */
import { shell as say } from "./words/shell.js";

/** What the lab, or the way to it, says is wrong; its message says what to do. */
export class ApiError extends Error {
  /** @param {number} status of HTTP; 0 where the lab did not answer */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** Ask at a path "/api/…", and return what answers, or throw an ApiError. */
export async function ask(path, body) {
  return (await post(path, body)).json();
}

/** Ask for a file, save it as the browser saves downloads, and return its name. */
export async function download(path, body) {
  const response = await post(path, body);
  const name = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "")?.[1] ?? "download";
  const address = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
  return name;
}

/**
 * Ask for a stream, and hand on each object that comes.
 * @param {(frame: object) => void} onFrame
 * @param {(error: ApiError|null) => void} onEnd called once, when the stream ends or fails, but not after stop()
 * @returns {() => void} stop
 */
export function stream(path, body, onFrame, onEnd) {
  const control = new AbortController();
  follow(path, body, onFrame, control.signal).then(
    () => control.signal.aborted || onEnd(null),
    (error) => control.signal.aborted || onEnd(error instanceof ApiError ? error : new ApiError(say.noAnswer, 0)),
  );
  return () => control.abort();
}

async function follow(path, body, onFrame, signal) {
  const reader = (await post(path, body, signal)).body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      if (event.startsWith("data: ") && !signal.aborted) onFrame(JSON.parse(event.slice(6)));
    }
  }
}

async function post(path, body, signal) {
  let response;
  try {
    const headers = { "Content-Type": "application/json" };
    response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body), signal });
  } catch {
    throw new ApiError(say.noAnswer, 0);
  }
  if (response.ok) return response;
  const said = await response.json().catch(() => null);
  throw new ApiError(said?.error?.message ?? `${path}: ${response.status} ${response.statusText}`, response.status);
}

/**
 * Return a function that does a task for the latest of what it is called with: while the task is under way, calls wait,
 * and only the last of them is done next.
 * @param {(given: any) => Promise<void>} task
 * @returns {(given: any) => Promise<void>} resolves when nothing is left to do
 */
export function latest(task) {
  let running = null;
  let waiting = null;
  const run = async () => {
    const [given] = waiting;
    waiting = null;
    try {
      await task(given);
    } finally {
      if (waiting) await run();
    }
  };
  return (given) => {
    waiting = [given];
    running ??= run().finally(() => (running = null));
    return running;
  };
}
