package docker

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// smallestSubnet is the longest prefix a network can have: eight addresses for profiles, and five for nginx and others.
const smallestSubnet = 28

// Address is the fixed address that follows from a profile's port: first address of the subnet's
// upper half + port mod the size of the half, never the network's first or last address.
func (n Network) Address(port int) (string, error) {
	_, upper, err := halves(n.Subnet)
	if err != nil {
		return "", fmt.Errorf("address for port %d in network %s: %w", port, n.Name, err)
	}
	size := uint32(1) << (32 - upper.Bits())
	offset := uint32(port) % size
	if offset == size-1 {
		offset-- // the last one is the network's broadcast address
	}
	first := binary.BigEndian.Uint32(upper.Addr().AsSlice())
	var address [4]byte
	binary.BigEndian.PutUint32(address[:], first+offset)
	return netip.AddrFrom4(address).String(), nil
}

// halves splits a subnet into the half from which the engine gives out addresses and the half with the fixed ones.
func halves(subnet string) (lower, upper netip.Prefix, err error) {
	whole, err := netip.ParsePrefix(subnet)
	switch {
	case err != nil:
		return lower, upper, err
	case !whole.Addr().Is4():
		return lower, upper, fmt.Errorf("subnet %s is not IPv4", subnet)
	case whole.Bits() < 1 || whole.Bits() > smallestSubnet:
		return lower, upper, fmt.Errorf("subnet %s does not have a prefix of /1 to /%d", subnet, smallestSubnet)
	}
	bits := whole.Bits()
	base := whole.Masked().Addr().As4()
	middle := base
	middle[bits/8] |= 0x80 >> (bits % 8)
	return netip.PrefixFrom(netip.AddrFrom4(base), bits+1), netip.PrefixFrom(netip.AddrFrom4(middle), bits+1), nil
}
