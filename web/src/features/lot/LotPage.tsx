export default function LotPage() {
  return <h1>LotPage</h1>;
}
