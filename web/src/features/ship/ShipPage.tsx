export default function ShipPage() {
  return <h1>ShipPage</h1>;
}
