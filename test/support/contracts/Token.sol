// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// ERC-20 with permit (EIP-2612), for tests: anybody may mint.
contract Token {
    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    string public name = "Token";
    uint8 public constant decimals = 6;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    mapping(address => uint256) public nonces;

    bytes32 private constant PERMIT =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");

    function mint(address to, uint256 value) external {
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        move(msg.sender, to, value);
        return true;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external virtual returns (bool) {
        allowance[from][msg.sender] -= value;
        move(from, to, value);
        return true;
    }

    function permit(
        address owner,
        address spender,
        uint256 value,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        require(block.timestamp <= deadline, "expired");
        bytes32 body = keccak256(abi.encode(PERMIT, owner, spender, value, nonces[owner]++, deadline));
        bytes32 digest = keccak256(abi.encodePacked("\x19\x01", DOMAIN_SEPARATOR(), body));
        require(ecrecover(digest, v, r, s) == owner, "signature");
        allowance[owner][spender] = value;
        emit Approval(owner, spender, value);
    }

    function DOMAIN_SEPARATOR() public view returns (bytes32) {
        bytes32 domain = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        return keccak256(abi.encode(domain, keccak256(bytes(name)), keccak256("1"), block.chainid, address(this)));
    }

    function move(address from, address to, uint256 value) internal virtual {
        balanceOf[from] -= value;
        balanceOf[to] += value;
        emit Transfer(from, to, value);
    }
}

/// Says at each transfer by somebody else what is left of the allowance, as OpenZeppelin's did up to 4.
contract LoudToken is Token {
    function transferFrom(address from, address to, uint256 value) external override returns (bool) {
        uint256 left = allowance[from][msg.sender] - value;
        allowance[from][msg.sender] = left;
        emit Approval(from, msg.sender, left);
        move(from, to, value);
        return true;
    }
}

/// Keeps a hundredth of each transfer, and says so in a second Transfer.
contract FeeToken is Token {
    function move(address from, address to, uint256 value) internal override {
        uint256 fee = value / 100;
        super.move(from, to, value - fee);
        super.move(from, address(this), fee);
    }
}

/// Says whatever a stranger wants: no balance, no allowance.
contract FakeToken {
    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    function lie(address from, address to, uint256 value) external {
        emit Transfer(from, to, value);
    }

    function lieApproval(address owner, address spender, uint256 value) external {
        emit Approval(owner, spender, value);
    }

    /// The same topics, with data that no ERC-20 has.
    function malformed(address from, address to) external {
        bytes32 topic = keccak256("Transfer(address,address,uint256)");
        assembly {
            mstore(0, 1)
            log3(0, 7, topic, from, to)
        }
    }
}
