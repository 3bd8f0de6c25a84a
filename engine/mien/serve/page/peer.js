// One WebRTC connection each: the page's own, both ways, and one that only plays.

const GATHERING_MS = 2000;

/**
 * Wait until the offer holds all candidates, or as many as two seconds find.
 * @param {RTCPeerConnection} connection
 * @returns {Promise<string>} the offer
 */
async function completeOffer(connection) {
  await connection.setLocalDescription();
  await new Promise((resolve) => {
    const done = () => connection.iceGatheringState === "complete" && resolve(undefined);
    connection.addEventListener("icegatheringstatechange", done);
    setTimeout(resolve, GATHERING_MS);
    done();
  });
  return connection.localDescription?.sdp ?? "";
}

/** H.264 first: it costs small servers least. @param {RTCRtpTransceiver} transceiver */
function preferH264(transceiver) {
  const codecs = RTCRtpReceiver.getCapabilities("video")?.codecs ?? [];
  const first = codecs.filter((codec) => codec.mimeType === "video/H264");
  const others = codecs.filter((codec) => codec.mimeType !== "video/H264");
  if (first.length) transceiver.setCodecPreferences?.([...first, ...others]);
}

/** Numbers of a connection now. @typedef {{received: number, sent: number, frames: number, roundTrip: number | null}} Counts */

export class Peer {
  /** @param {RTCIceServer[]} iceServers */
  constructor(iceServers) {
    this.connection = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    /** What comes in. */
    this.stream = new MediaStream();
    this.connection.addEventListener("track", ({ track }) => this.stream.addTrack(track));
  }

  /**
   * Connect both ways.
   * @param {MediaStream} camera
   * @param {(sdp: string) => Promise<string>} answer
   */
  async call(camera, answer) {
    for (const kind of /** @type {const} */ (["video", "audio"])) {
      const track = camera.getTracks().find((one) => one.kind === kind);
      if (!track) continue; // without a microphone there is no sound either way
      const transceiver = this.connection.addTransceiver(track, { direction: "sendrecv", streams: [camera] });
      if (kind === "video") preferH264(transceiver);
    }
    await this.#exchange(answer);
  }

  /** Connect to play only. @param {(sdp: string) => Promise<string>} answer */
  async play(answer) {
    preferH264(this.connection.addTransceiver("video", { direction: "recvonly" }));
    this.connection.addTransceiver("audio", { direction: "recvonly" });
    await this.#exchange(answer);
  }

  /** @param {(sdp: string) => Promise<string>} answer */
  async #exchange(answer) {
    const sdp = await answer(await completeOffer(this.connection));
    if (this.connection.signalingState !== "closed") await this.connection.setRemoteDescription({ type: "answer", sdp });
  }

  /** Send another camera or microphone, without a new offer. @param {MediaStream} camera */
  async replaceCamera(camera) {
    for (const sender of this.connection.getSenders()) {
      const track = camera.getTracks().find((one) => one.kind === sender.track?.kind);
      if (track) await sender.replaceTrack(track);
    }
  }

  /** @returns {Promise<Counts>} */
  async counts() {
    /** @type {Counts} */
    const counts = { received: 0, sent: 0, frames: 0, roundTrip: null };
    for (const row of (await this.connection.getStats()).values()) {
      if (row.type === "inbound-rtp" && row.kind === "video") {
        counts.received += row.bytesReceived ?? 0;
        counts.frames += row.framesDecoded ?? 0;
      } else if (row.type === "outbound-rtp" && row.kind === "video") counts.sent += row.bytesSent ?? 0;
      else if (row.type === "candidate-pair" && row.nominated) counts.roundTrip = row.currentRoundTripTime ?? null;
    }
    return counts;
  }

  /** Whether the connection says itself that it is gone. */
  get gone() {
    return ["failed", "closed"].includes(this.connection.connectionState);
  }

  close() {
    this.connection.close();
    for (const track of this.stream.getTracks()) track.stop();
  }
}
