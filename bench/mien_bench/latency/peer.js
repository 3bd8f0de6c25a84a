// A peer in a page: sends coded pictures and bursts of sound, and reads what comes back. The code in the strip and the
// bursts are those of timecode.py and bursts.py; tests hold both sides to each other.
window.mienBench = (() => {
  const COLUMNS = 40, ROWS = 2, SHARE = 15, NUMBER_BITS = 18, TIME_BITS = 30, TICK = 0.1;
  const DARK = 24, LIGHT = 232, MIDDLE = 128, LEAST = 28, BORDER = 0.2;

  const TABLE = Array.from({ length: 256 }, (_, start) => {
    let value = start;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
    return value >>> 0;
  });
  const crc32 = (bytes) => {
    let value = 0xffffffff;
    for (const byte of bytes) value = TABLE[(value ^ byte) & 0xff] ^ (value >>> 8);
    return (value ^ 0xffffffff) >>> 0;
  };

  const bits = (value, count) => Array.from({ length: count }, (_, place) => Math.floor(value / 2 ** (count - 1 - place)) % 2);
  const bytesOf = (cells) =>
    Array.from({ length: cells.length / 8 }, (_, place) => parseInt(cells.slice(place * 8, place * 8 + 8).join(""), 2));

  // 80 cells, 0 or 1, of a number and a time in milliseconds
  function encode(number, milliseconds) {
    const time = Math.round(milliseconds / TICK) % 2 ** TIME_BITS;
    const payload = [...bits(number % 2 ** NUMBER_BITS, NUMBER_BITS), ...bits(time, TIME_BITS)];
    return [...payload, ...bits(crc32(bytesOf(payload)), 32)];
  }

  // [number, time in units of 0.1 ms], or null where the check fails
  function decode(cells) {
    const payload = cells.slice(0, NUMBER_BITS + TIME_BITS);
    if (crc32(bytesOf(payload)) !== parseInt(cells.slice(NUMBER_BITS + TIME_BITS).join(""), 2)) return null;
    return [parseInt(payload.slice(0, NUMBER_BITS).join(""), 2), parseInt(payload.slice(NUMBER_BITS).join(""), 2)];
  }

  const rowsOf = (height) => Math.max(Math.round(height / SHARE), 1);

  function draw(context, width, height, number, milliseconds) {
    const rows = rowsOf(height);
    encode(number, milliseconds).forEach((light, place) => {
      const column = place % COLUMNS, row = Math.floor(place / COLUMNS), shade = light ? LIGHT : DARK;
      const left = Math.round((column * width) / COLUMNS), right = Math.round(((column + 1) * width) / COLUMNS);
      const top = Math.round((row * rows) / ROWS), bottom = Math.round(((row + 1) * rows) / ROWS);
      context.fillStyle = `rgb(${shade}, ${shade}, ${shade})`;
      context.fillRect(left, top, right - left, bottom - top);
    });
  }

  // of RGBA pixels of the strip alone; null where there is none, or it cannot be relied on
  function read(pixels, width, rows) {
    const cells = [];
    for (let place = 0; place < ROWS * COLUMNS; place += 1) {
      const column = place % COLUMNS, row = Math.floor(place / COLUMNS);
      const wide = width / COLUMNS, high = rows / ROWS;
      let sum = 0, count = 0;
      for (let y = Math.ceil((row + BORDER) * high - 0.5); y + 0.5 <= (row + 1 - BORDER) * high; y += 1) {
        for (let x = Math.ceil((column + BORDER) * wide - 0.5); x + 0.5 <= (column + 1 - BORDER) * wide; x += 1) {
          const at = (y * width + x) * 4;
          sum += 0.299 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2];
          count += 1;
        }
      }
      const shade = sum / count - MIDDLE;
      if (!(Math.abs(shade) >= LEAST)) return null;
      cells.push(shade > 0 ? 1 : 0);
    }
    return decode(cells);
  }

  async function picturesOf(jpegs) {
    return Promise.all(jpegs.map(async (text) => {
      const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
      return createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
    }));
  }

  // a camera: a canvas that shows the pictures forth and back, each with its code
  function camera(pictures, rate, frames) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [pictures[0].width, pictures[0].height];
    const context = canvas.getContext("2d");
    const stream = canvas.captureStream(0);
    const track = stream.getVideoTracks()[0];
    const laps = [...pictures, ...pictures.slice(1, -1).reverse()];
    const state = { track, sent: 0, over: null, drawing: 0, limit: frames + 60 * rate };
    state.begin = () => {
      const began = performance.now();
      state.over = new Promise((done) => {
        const step = () => {
          const now = performance.now();
          context.drawImage(laps[state.sent % laps.length], 0, 0);
          draw(context, canvas.width, canvas.height, state.sent, now);
          track.requestFrame();
          state.drawing += performance.now() - now;
          state.sent += 1;
          if (state.sent >= state.limit) return done();
          setTimeout(step, Math.max(began + (state.sent * 1000) / rate - performance.now(), 0));
        };
        step();
      });
    };
    return state;
  }

  // reads the strip of every picture that the page shows
  function watch(video, seen, first) {
    const canvas = document.createElement("canvas");
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const look = () => {
      const at = performance.now();
      const width = video.videoWidth, rows = rowsOf(video.videoHeight);
      if (canvas.width !== width || canvas.height !== rows) [canvas.width, canvas.height] = [width, rows];
      context.drawImage(video, 0, 0, width, rows, 0, 0, width, rows);
      const code = read(context.getImageData(0, 0, width, rows).data, width, rows);
      seen.at.push(at / 1000);
      seen.codes.push(code);
      if (code) first();
      seen.reading.push((performance.now() - at) / 1000);
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
  }

  const gathered = (connection) => new Promise((done) => {
    const check = () => connection.iceGatheringState === "complete" && done();
    connection.addEventListener("icegatheringstatechange", check);
    check();
  });

  // a tone that goes on for ever
  function tone(context) {
    const oscillator = context.createOscillator(), end = context.createMediaStreamDestination();
    oscillator.frequency.value = 440;
    oscillator.connect(end);
    oscillator.start();
    return end.stream;
  }

  // gaps in a tone that is heard, as [when it ended, how long it was] in seconds: stretches of a twentieth of its usual
  // loudness
  function listen(context, stream) {
    const found = { silences: [], quiet: 0, loudness: 0 };
    const ear = context.createScriptProcessor(256, 1, 1);
    ear.onaudioprocess = ({ inputBuffer }) => {
      const samples = inputBuffer.getChannelData(0);
      for (let first = 0; first < samples.length; first += 64) {
        let sum = 0;
        for (let place = first; place < first + 64; place += 1) sum += samples[place] * samples[place];
        const loudness = Math.sqrt(sum / 64);
        if (loudness > 0.05 * found.loudness && loudness > 1e-4) {
          if (found.quiet > 0.01) found.silences.push([performance.now() / 1000, found.quiet]);
          found.quiet = 0;
          found.loudness += 0.01 * (loudness - found.loudness);
        } else if (found.loudness > 0) {
          found.quiet += 64 / context.sampleRate;
        }
      }
    };
    context.createMediaStreamSource(stream).connect(ear);
    ear.connect(context.destination); // it is silent: nothing is written into its output
    return found;
  }

  // a session of the server that this page is of; `sound`: a tone there and back, too
  async function run({ jpegs, rate, frames, portrait, codec, token, sound }) {
    const source = camera(await picturesOf(jpegs), rate, frames);
    const connection = new RTCPeerConnection();
    const video = document.createElement("video");
    Object.assign(video, { muted: true, autoplay: true, playsInline: true });
    document.body.replaceChildren(video);
    const seen = { at: [], codes: [], reading: [] };
    const audio = sound ? new AudioContext({ sampleRate: 48000 }) : null;
    let heard = null;
    connection.ontrack = (event) => {
      const stream = new MediaStream([event.track]);
      if (event.track.kind === "video") video.srcObject = stream;
      if (event.track.kind === "audio" && audio) {
        document.body.append(Object.assign(document.createElement("audio"), { srcObject: stream, muted: true, autoplay: true }));
        heard = listen(audio, stream);
      }
    };
    const transceiver = connection.addTransceiver(source.track, { direction: "sendrecv" });
    const able = RTCRtpReceiver.getCapabilities("video").codecs;
    transceiver.setCodecPreferences(able.filter((one) => [codec, "video/rtx"].includes(one.mimeType)));
    if (audio) connection.addTransceiver(tone(audio).getAudioTracks()[0], { direction: "sendrecv" });
    await connection.setLocalDescription(await connection.createOffer());
    await gathered(connection);
    const headers = { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) };
    const body = JSON.stringify({ sdp: connection.localDescription.sdp, portrait });
    const answer = await fetch("/api/v1/sessions", { method: "POST", headers, body });
    if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
    const session = await answer.json();
    await connection.setRemoteDescription({ type: "answer", sdp: session.sdp });
    // frames count from the first that is seen: opening a session takes its time
    let begun = false;
    watch(video, seen, () => {
      if (!begun) source.limit = Math.min(source.limit, source.sent + frames);
      begun = true;
    });
    source.begin();
    await source.over;
    await new Promise((done) => setTimeout(done, 1500));
    const place = `/api/v1/sessions/${session.id}`;
    const statistics = await (await fetch(`${place}/statistics`, { headers })).json();
    const told = [...(await connection.getStats()).values()];
    const sending = told.find((one) => one.type === "outbound-rtp" && one.kind === "video");
    const hearing = told.find((one) => one.type === "inbound-rtp" && one.kind === "audio");
    await fetch(place, { method: "DELETE", headers });
    connection.close();
    return {
      seen,
      sent: source.sent,
      drawing: source.drawing / 1000,
      statistics,
      encoded: sending?.framesEncoded ?? null,
      origin: performance.timeOrigin / 1000,
      silences: heard?.silences ?? [],
      concealed: hearing ? hearing.concealedSamples / Math.max(hearing.totalSamplesReceived, 1) : null,
    };
  }

  return { encode, decode, draw, read, run };
})();
