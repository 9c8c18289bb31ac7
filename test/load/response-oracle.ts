// llhttp, the parser of Node.js, as the WebAssembly module that undici brings along: an independent opinion on where a
// response ends.
import { createRequire } from "node:module";

/** What llhttp finds in the bytes that follow a request. */
export interface Opinion {
  /** Of the last status line; 0 when none was read. */
  status: number;
  keepAlive: boolean;
  /** The offset after the response; -1 when it is not complete. */
  end: number;
  /** Whether the close of the connection would complete it. */
  endsWithClose: boolean;
  /** What is wrong, "" for nothing. */
  error: string;
}

interface Llhttp {
  memory: WebAssembly.Memory;
  _initialize(): void;
  malloc(bytes: number): number;
  llhttp_alloc(type: number): number;
  llhttp_reset(parser: number): void;
  llhttp_execute(parser: number, at: number, length: number): number;
  llhttp_finish(parser: number): number;
  llhttp_should_keep_alive(parser: number): number;
  llhttp_get_error_pos(parser: number): number;
  llhttp_get_error_reason(parser: number): number;
  llhttp_set_lenient_spaces_after_chunk_size(parser: number, isOn: number): void;
  llhttp_set_lenient_chunked_length(parser: number, isOn: number): void;
}

const responseType = 2;
const paused = 21;
const skipBody = 1;
const inputLimitBytes = 1 << 20;

const module = new WebAssembly.Module(createRequire(import.meta.url)("undici/lib/llhttp/llhttp-wasm.js"));
let isHead = false;
let isComplete = false;
let opinion: Opinion;

const pass = () => 0;
const llhttp = new WebAssembly.Instance(module, {
  env: {
    wasm_on_message_begin: pass,
    wasm_on_url: pass,
    wasm_on_status: pass,
    wasm_on_header_field: pass,
    wasm_on_header_value: pass,
    wasm_on_body: pass,
    wasm_on_headers_complete(_: number, status: number, _isUpgrade: number, keepAlive: number): number {
      opinion.status = status;
      opinion.keepAlive = keepAlive === 1;
      return isHead && status >= 200 ? skipBody : 0;
    },
    wasm_on_message_complete(): number {
      isComplete = opinion.status >= 200 || opinion.status === 101;
      opinion.keepAlive = llhttp.llhttp_should_keep_alive(parser) === 1;
      return isComplete ? paused : 0;
    },
  },
}).exports as unknown as Llhttp;
llhttp._initialize();
const parser = llhttp.llhttp_alloc(responseType);
const input = llhttp.malloc(inputLimitBytes);
// Its switches for what our parser reads by choice.
llhttp.llhttp_set_lenient_spaces_after_chunk_size(parser, 1);
llhttp.llhttp_set_lenient_chunked_length(parser, 1);

export function askLlhttp(bytes: Uint8Array, isHeadRequest: boolean): Opinion {
  opinion = { status: 0, keepAlive: true, end: -1, endsWithClose: false, error: "" };
  isHead = isHeadRequest;
  isComplete = false;
  llhttp.llhttp_reset(parser);
  new Uint8Array(llhttp.memory.buffer).set(bytes, input);
  const code = llhttp.llhttp_execute(parser, input, bytes.length);
  if (isComplete) opinion.end = llhttp.llhttp_get_error_pos(parser) - input;
  else if (code !== 0) opinion.error = reason();
  else if (opinion.status >= 200) {
    llhttp.llhttp_finish(parser);
    opinion.endsWithClose = isComplete;
  }
  return opinion;
}

function reason(): string {
  const bytes = new Uint8Array(llhttp.memory.buffer);
  const start = llhttp.llhttp_get_error_reason(parser);
  return Buffer.from(bytes.subarray(start, bytes.indexOf(0, start))).toString("latin1");
}
