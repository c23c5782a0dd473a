// Drawn here: a dozen lines are cheaper than an icon package. Never alone: a word stands beside each.
const paths = {
  good: 'M9 12.5l2.2 2.2L15.5 10M12 3l7.5 3v5.5c0 4.6-3.1 8-7.5 9.5-4.4-1.5-7.5-4.9-7.5-9.5V6z',
  bad: 'M8 3h8l5 5v8l-5 5H8l-5-5V8zM9 9l6 6M15 9l-6 6',
  warn: 'M12 4l9 16H3zM12 10v4.5M12 17.4v.2',
  calm: 'M12 3a9 9 0 100 18 9 9 0 000-18zM12 11v5.5M12 7.6v.2',
  pending: 'M12 3a9 9 0 100 18 9 9 0 000-18zM12 7v5.2l3.4 2',
  moon: 'M20 14.5A8.5 8.5 0 119.5 4a7 7 0 0010.5 10.5z',
  sun: 'M12 8a4 4 0 100 8 4 4 0 000-8zM12 2v2.5M12 19.5V22M2 12h2.5M19.5 12H22M5 5l1.7 1.7M17.3 17.3L19 19M5 19l1.7-1.7M17.3 6.7L19 5',
  make: 'M4 20V9l6 4V9l6 4V4h4v16z',
  pack: 'M4 8l8-4 8 4v8l-8 4-8-4zM4 8l8 4 8-4M12 12v8',
  unpack: 'M4 12l8 4 8-4M4 12v4l8 4 8-4v-4M12 13V3M8 6.5L12 3l4 3.5',
  ship: 'M2 6h12v10H2zM14 9h4l4 4v3h-8M6 16a2 2 0 100 4 2 2 0 000-4zM18 16a2 2 0 100 4 2 2 0 000-4z',
  receive: 'M3 13h5l1.5 3h5L16 13h5v7H3zM12 3v8M8.5 8L12 11.5 15.5 8',
  dispense: 'M7 3h10v4H7zM8 7v14h8V7M12 11v6M9.5 14h5',
  dot: 'M12 9a3 3 0 100 6 3 3 0 000-6z',
  file: 'M6 3h8l5 5v13H6zM14 3v5h5M9.5 13h5M9.5 17h5',
  download: 'M12 4v11M7.5 11L12 15.5 16.5 11M4 20h16',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  camera: 'M4 7h4l1.5-2.5h5L16 7h4v12H4zM12 9.5a3.5 3.5 0 100 7 3.5 3.5 0 000-7z',
  search: 'M10.5 4a6.5 6.5 0 100 13 6.5 6.5 0 000-13zM15.5 15.5L20.5 20.5',
  back: 'M9 14L4 9l5-5M4 9h9a6 6 0 010 12h-2',
  recall: 'M4 10v4h3l6 4V6L7 10zM16.5 8.5a5 5 0 010 7M19 6a8.5 8.5 0 010 12',
  label: 'M4 4h7v7H4zM4 15h3v5H4zM11 14h3v6h-3zM15 4h5v5h-5zM17 13h3v7h-3z',
  unknown: 'M12 3a9 9 0 100 18 9 9 0 000-18zM9.6 9.6a2.4 2.4 0 113.6 2.1c-.8.5-1.2 1-1.2 1.9M12 16.6v.2',
} as const;
export type IconName = keyof typeof paths;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={paths[name]} />
    </svg>
  );
}
