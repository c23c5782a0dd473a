// A sound and a shake for those who look at the goods and not at the screen. Off until somebody wants them.

const kept = 'verilot.sound';

export function wantsSound(): boolean {
  try {
    return localStorage.getItem(kept) === 'on';
  } catch {
    return false; // storage may be forbidden
  }
}

export function wantSound(on: boolean): void {
  try {
    localStorage.setItem(kept, on ? 'on' : 'off');
  } catch {
    // Then it lasts as long as the page.
  }
}

let audio: AudioContext | undefined;

/** signal sounds once, high, for what is right, and twice, low, for what is not. */
export function signal(good: boolean): void {
  navigator.vibrate?.(good ? 60 : [120, 80, 120]);
  if (typeof AudioContext === 'undefined') return;
  audio ??= new AudioContext();
  void audio.resume();
  for (const start of good ? [0] : [0, 0.22]) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = good ? 1320 : 330;
    volume.gain.value = 0.15;
    tone.connect(volume).connect(audio.destination);
    tone.start(audio.currentTime + start);
    tone.stop(audio.currentTime + start + (good ? 0.09 : 0.16));
  }
}
