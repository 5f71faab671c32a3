// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

interface Erc20 {
    function transfer(address to, uint256 value) external returns (bool);
    function transferFrom(address from, address to, uint256 value) external returns (bool);
}

/// A contract wallet with the calls and events of a Safe, for tests: any owner acts alone.
contract ContractWallet {
    event AddedOwner(address indexed owner);
    event RemovedOwner(address indexed owner);
    event ChangedThreshold(uint256 threshold);
    event EnabledModule(address indexed module);
    event ChangedMasterCopy(address singleton);
    event Upgraded(address indexed implementation);
    event OwnershipTransferred(address indexed previousOwner, address indexed newOwner);
    event ExecutionSuccess(bytes32 indexed txHash, uint256 payment);

    mapping(address => bool) public isOwner;

    constructor(address owner) payable {
        isOwner[owner] = true;
    }

    receive() external payable {}

    modifier owned() {
        require(isOwner[msg.sender], "owner");
        _;
    }

    function execTransaction(address to, uint256 value, bytes calldata data) external owned {
        (bool done, ) = to.call{value: value}(data);
        require(done, "call");
        emit ExecutionSuccess(keccak256(data), 0);
    }

    /// The inner call fails and the transaction does not: nothing leaves.
    function tryTransaction(address to, uint256 value, bytes calldata data) external owned {
        (bool done, ) = to.call{value: value}(data);
        done;
    }

    function addOwner(address owner, uint256 threshold) external owned {
        isOwner[owner] = true;
        emit AddedOwner(owner);
        emit ChangedThreshold(threshold);
    }

    function removeOwner(address owner) external owned {
        isOwner[owner] = false;
        emit RemovedOwner(owner);
    }

    function enableModule(address module) external owned {
        emit EnabledModule(module);
    }

    function changeMasterCopy(address singleton) external owned {
        emit ChangedMasterCopy(singleton);
        emit Upgraded(singleton);
        emit OwnershipTransferred(msg.sender, singleton);
    }
}

/// As the proxy of a Safe: its implementation is in its first slot, and it names that by itself.
contract WalletProxy {
    address internal singleton;

    constructor(address singleton_) payable {
        singleton = singleton_;
    }

    receive() external payable {}

    fallback() external payable {
        address to = singleton;
        assembly {
            if eq(shr(224, calldataload(0)), 0xa619486e) {
                mstore(0, to)
                return(0, 0x20)
            }
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), to, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if iszero(done) { revert(0, returndatasize()) }
            return(0, returndatasize())
        }
    }
}

/// What such a proxy runs: one of its calls runs somebody's code in the name of the wallet.
contract WalletSingleton {
    address internal singleton;
    address[] internal owners;

    event AddedOwner(address indexed owner);

    function getOwners() external view returns (address[] memory) {
        return owners;
    }

    function addOwner(address owner) external {
        owners.push(owner);
        emit AddedOwner(owner);
    }

    function delegate(address to, bytes calldata data) external {
        (bool done, ) = to.delegatecall(data);
        require(done, "call");
    }
}

/// Run in the name of such a wallet it changes who controls it, and logs nothing, or a lie.
contract WalletThief {
    address internal singleton;
    address[] internal owners;

    event AddedOwner(address indexed owner);

    function replace(address implementation) external {
        singleton = implementation;
    }

    function own(address owner, address claimed) external {
        owners.push(owner);
        emit AddedOwner(claimed);
    }
}

/// Pays many at once, in the native coin or in a token that the caller has approved.
contract Disperse {
    function disperse(address[] calldata to, uint256[] calldata values) external payable {
        for (uint256 at = 0; at < to.length; at++) {
            (bool done, ) = to[at].call{value: values[at]}("");
            require(done, "call");
        }
    }

    function disperseToken(Erc20 token, address[] calldata to, uint256[] calldata values) external {
        for (uint256 at = 0; at < to.length; at++) token.transferFrom(msg.sender, to[at], values[at]);
    }
}

/// Code that an externally owned account delegates to (EIP-7702): whoever calls it moves the money.
contract Delegate {
    receive() external payable {}

    function execute(address[] calldata to, uint256[] calldata values, bytes[] calldata data) external payable {
        for (uint256 at = 0; at < to.length; at++) {
            (bool done, ) = to[at].call{value: values[at]}(data[at]);
            require(done, "call");
        }
    }
}

/// Refuses everything.
contract Reverter {
    fallback() external payable {
        revert("no");
    }
}
