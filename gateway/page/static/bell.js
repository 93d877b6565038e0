// The page's own sound: the gate has its own, this one is beside it. Browsers stay mute until somebody has tapped.
"use strict";
const bell = (() => {
  let audio = null;
  const tone = (at, hertz) => {
    const wave = audio.createOscillator(), gain = audio.createGain();
    wave.frequency.value = hertz; wave.type = "square"; gain.gain.value = 0.2;
    wave.connect(gain).connect(audio.destination); wave.start(at); wave.stop(at + 0.22);
  };
  return {
    get mute() { return !audio || audio.state !== "running"; },
    ring() {
      if (this.mute) return;
      for (let n = 0; n < 4; n += 1) tone(audio.currentTime + n * 0.28, n % 2 ? 660 : 880);
    },
    wake() { // the promise is kept once the browser lets it sound
      audio = audio || new AudioContext();
      if (navigator.wakeLock) navigator.wakeLock.request("screen").catch(() => {}); // a tablet that sleeps shows nothing
      return audio.resume();
    },
  };
})();
