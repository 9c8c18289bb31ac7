// Where our parser and llhttp differ on purpose. Each difference is an edit that takes the disputed thing out of a
// response: it is accepted only when both agree on what is left.

export interface Difference {
  name: string;
  /** Why ours may, or must. */
  why: string;
  /** A response that shows it. */
  example: string;
  /**
   * What llhttp refuses or understands otherwise, we read: the edit keeps the length and changes nothing for us.
   * Otherwise we refuse what llhttp reads.
   */
  isRead: boolean;
  edit: (text: string) => string;
}

const ok = "HTTP/1.1 200 OK\r\n";
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`;

export const differences: readonly Difference[] = [
  {
    name: "empty lines before the status line",
    why: "RFC 9112 §2.2 knows them before requests only; llhttp skips them",
    example: "\r\nHTTP/1.1 204 \r\n\r\n",
    isRead: false,
    edit: (text) => text.replace(/(^|\n\r?\n)[\r\n]+(?=H|$)/g, "$1"),
  },
  {
    name: "a lone LF in a head",
    why: "RFC 9112 §2.2 allows to read it as the end of the line; llhttp refuses it",
    example: "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    isRead: true,
    edit: (text) => eachHead(text, withCrlf),
  },
  {
    name: "a lone LF in trailers",
    why: "the same",
    example: `${chunked}0\r\nX: y\n\n`,
    isRead: true,
    edit: (text) => inTrailers(text, withCrlf),
  },
  {
    name: "fields of trailers",
    why: "RFC 9110 §6.5.1: they have no say in framing and connection; llhttp reads them like those of the head",
    example: `${chunked}0\r\nConnection: close\r\n\r\n`,
    isRead: true,
    edit: (text) =>
      inTrailers(text, (lines) => ["connection", "content-length", "transfer-encoding"].reduce(renamed, lines)),
  },
  {
    name: "a folded line",
    why: "RFC 9112 §5.2: a user agent must read it as space; llhttp refuses it",
    example: `${ok}Content-Length:\r\n 2\r\n\r\nok`,
    isRead: true,
    edit: (text) => untilSettled(text, (left) => blank(left, /(?<=^[^\s:]+:[^\n]*)\r?\n(?=[ \t])/gm)),
  },
  {
    name: "a tab behind a value",
    why: "RFC 9110 §5.6.3: space like any other; llhttp knows it only before a value",
    example: `${ok}Content-Length: 2\t\r\n\r\nok`,
    isRead: true,
    edit: (text) => text.replace(/\t/g, " "),
  },
  {
    name: "the same length twice",
    why: "RFC 9110 §8.6 allows to read it as one; llhttp refuses it",
    example: `${ok}Content-Length: 2, 2\r\nContent-Length: 2\r\n\r\nok`,
    isRead: true,
    edit: (text) => eachHead(text, oneLength),
  },
  {
    name: "a minor version above 1",
    why: "RFC 9110 §2.5: read as the highest minor version known; llhttp knows 0.9, 1.0, 1.1 and 2.0",
    example: "HTTP/1.7 204 \r\n\r\n",
    isRead: true,
    edit: (text) => text.replace(/^HTTP\/1\.[2-9]/gm, "HTTP/1.1"),
  },
  {
    name: "an extension of a chunk that breaks the grammar",
    why: "RFC 9112 §7.1.1: unknown extensions are ignored, so all are; llhttp parses them",
    example: `${chunked}2;;a =b\r\nok\r\n0\r\n\r\n`,
    isRead: true,
    edit: (text) => text.replace(/^[0-9a-f]+ *;[ -~\x80-\xff]*$/gim, (line) => blank(line, /;.*/g)),
  },
  {
    name: "status codes from 104 to 199",
    why: "RFC 9110 §15.2: all 1xx are interim, without body; llhttp knows 100, 102 and 103",
    example: "HTTP/1.1 199 \r\nContent-Length: 3\r\n\r\nHTTP/1.1 204 \r\n\r\n",
    isRead: true,
    edit: (text) => text.replace(/^(HTTP\/...) 1(0[4-9]|[1-9]\d)/gm, "$1 103"),
  },
  {
    name: "the end of the connection in an interim response",
    why: "RFC 9110 §15.2: the final response follows; llhttp refuses it",
    example: `HTTP/1.0 103 \r\nConnection: close\r\n\r\n${ok}Content-Length: 2\r\n\r\nok`,
    isRead: true,
    edit: (text) => eachHead(text, (head) => (/HTTP\/... 1/.test(head) ? lasting(head) : head)),
  },
  {
    name: "Proxy-Connection",
    why: "no field of RFC 9110; llhttp takes it for Connection",
    example: `${ok}Proxy-Connection: close\r\nContent-Length: 2\r\n\r\nok`,
    isRead: true,
    edit: (text) => renamed(text, "proxy-connection"),
  },
  {
    name: "empty members of Transfer-Encoding",
    why: "RFC 9110 §5.6.1.2: ignored; llhttp ignores them only before the first",
    example: `${ok}Transfer-Encoding: chunked,\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
    isRead: true,
    edit: (text) => text.replace(/^transfer-encoding:[ ,]*chunked[ ,]*$/gim, (line) => blank(line, /,/g)),
  },
  {
    name: "close and keep-alive in HTTP/1.0",
    why: "RFC 9112 §9.3: close counts; llhttp lets keep-alive win",
    example: "HTTP/1.0 204 \r\nConnection: keep-alive, close\r\n\r\n",
    isRead: true,
    edit: (text) => eachHead(text, closed10),
  },
  {
    name: "a coding other than chunked",
    why: "RFC 9112 §7: none was asked for; llhttp reads on, to the close of the connection unless chunked comes last",
    example: `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
    isRead: false,
    edit: (text) => eachHead(text, onceChunked),
  },
  {
    name: "chunked in HTTP/1.0",
    why: "RFC 9112 §6.1: faulty framing; llhttp reads on",
    example: "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    isRead: false,
    edit: (text) => eachHead(text, (head) => (/HTTP\/1\.0/.test(head) ? renamed(head, "transfer-encoding") : head)),
  },
  {
    name: "sizes from 2^53 on",
    why: "no exact numbers here, and no real sizes; llhttp counts up to 2^64",
    example: `${ok}Content-Length: 9007199254740992\r\n\r\n`,
    isRead: false,
    edit: (text) =>
      text
        .replace(/(?<=^content-length: *)\d{16,}/gim, (digits) => (Number(digits) < 2 ** 53 ? digits : "0"))
        .replace(/^[0-9a-f]{14,}/gim, (digits) => (Number.parseInt(digits, 16) < 2 ** 53 ? digits : "0")),
  },
  {
    name: "protocols other than HTTP/1",
    why: "RFC 9110 §2.5: others; llhttp reads HTTP/0.9, HTTP/2.0, RTSP and ICE alike, and awaits the end of the name",
    example: "HTTP/2.0 204 \r\n\r\n",
    isRead: false,
    edit: (text) =>
      text
        .replace(/^(RTSP|RTS|RT|R|ICE|IC|I)(?=\/|$)/gm, "HTTP")
        .replace(/^HTTP\/(0\.9|2\.0)/gm, "HTTP/1.1")
        .replace(/^HTTP\/\d(?=\.?$)/gm, "HTTP/1"),
  },
  {
    name: "101 and status codes outside of 100 to 599",
    why: "RFC 9110 §15: no status codes, and no switch of protocols was asked for; llhttp reads any three digits",
    example: "HTTP/1.1 600 \r\nContent-Length: 0\r\n\r\n",
    isRead: false,
    edit: (text) => text.replace(/^(HTTP\/...) ([06-9]\d\d|101)/gm, "$1 500"),
  },
  {
    name: "control characters in the reason",
    why: "RFC 9112 §4 has none; llhttp does not look",
    example: "HTTP/1.1 204 a\x01\r\n\r\n",
    isRead: false,
    edit: (text) => text.replace(/^HTTP\/... \d+[^\n]*/gm, (line) => blank(line, /\r(?=.)|[^\r -~\x80-\xff]/gs)),
  },
];

/** Text with every match of `pattern` replaced by as many spaces. */
function blank(text: string, pattern: RegExp): string {
  return text.replace(pattern, (match) => " ".repeat(match.length));
}

/** Text whose fields of this name have another one of the same length. */
function renamed(text: string, name: string): string {
  return text.replace(new RegExp(`^${name}:`, "gim"), `${name.slice(0, -1)}_:`);
}

function untilSettled(text: string, edit: (text: string) => string): string {
  const next = edit(text);
  return next === text ? text : untilSettled(next, edit);
}

/** Where the body begins: after the interim heads and the final one. */
function bodyStart(text: string): number {
  const heads = /^(?:HTTP\/... 1(?!01)[\s\S]*?\n\r?\n)*(?:[\s\S]*?\n\r?\n|[\s\S]*)/.exec(text);
  return (heads as RegExpExecArray)[0].length;
}

/** Text with `edit` applied to every head in it on its own. */
function eachHead(text: string, edit: (head: string) => string): string {
  const heads = text.slice(0, bodyStart(text)).split(/(?<=\n\r?\n)/);
  return heads.map(edit).join("") + text.slice(bodyStart(text));
}

/** Text with `edit` applied to the trailers, if there are any. */
function inTrailers(text: string, edit: (lines: string) => string): string {
  const chunk = /([0-9a-f]+)(?:[ \t;].*)?\r\n/iy;
  chunk.lastIndex = bodyStart(text);
  for (let line = chunk.exec(text); line !== null; line = chunk.exec(text)) {
    const bytes = Number.parseInt(line[1] as string, 16);
    if (bytes === 0) return text.slice(0, chunk.lastIndex) + edited(text.slice(chunk.lastIndex), edit);
    chunk.lastIndex += bytes + 2;
  }
  return text;
}

/** Text with `edit` applied to the field lines that it begins with, and the empty line after them. */
function edited(text: string, edit: (lines: string) => string): string {
  return text.replace(/^(?:(?:[^\s:]+:|[ \t])[^\n]*\n?)*(?:\r?\n)?/, edit);
}

function withCrlf(lines: string): string {
  return lines.replace(/(?<!\r)\n/g, "\r\n");
}

/** A head that gives its length once, if all lengths it gives are equal. */
function oneLength(head: string): string {
  const lengths = [...head.matchAll(/^content-length:([ \d,]+)$/gim)].flatMap((match) =>
    match[1]?.split(",").map(Number),
  );
  if (new Set(lengths).size !== 1) return head;
  let isFirst = true;
  return head.replace(/^content-length:[ \d,]+/gim, (line) => {
    if (!isFirst) return renamed(line, "content-length");
    isFirst = false;
    return blank(line, /,.*/g);
  });
}

/** A head whose only transfer coding is chunked, if it names that at all. */
function onceChunked(head: string): string {
  let isFirst = true;
  return head.replace(/^transfer-encoding:[^\r\n]*/gim, (line) => {
    if (!isFirst || !/^[^:]*: *chunked *$/i.test(line)) return renamed(line, "transfer-encoding");
    isFirst = false;
    return line;
  });
}

/** A head of HTTP/1.0 that says close, without keep-alive. */
function closed10(head: string): string {
  const saysClose = /HTTP\/1\.0/.test(head) && /^connection:([^\r\n]*,)? *close *(,|$)/im.test(head);
  return saysClose ? head.replace(/keep-alive/gi, "keep_alive") : head;
}

function lasting(head: string): string {
  return renamed(head, "connection").replace("HTTP/1.0", "HTTP/1.1");
}
